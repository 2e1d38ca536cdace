"""The one of a group that is most like all of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from operators.groups.grid import Labels, Units, means, pair_cosines, sums


def medoids(units: Units, labels: Labels, count: int) -> NDArray[np.int64]:
    """The row of each group whose mean cosine with all of its group is largest; of equal ones the
    first.

    Args:
        units: `[N, D]`.
        labels: `[N]`, 0 to count - 1, none empty.
        count: of groups.

    Returns:
        int64 `[count]`.
    """
    sizes = np.bincount(labels, minlength=count)
    typical = pair_cosines(units, means(sums(units, labels, count), sizes), labels)
    order = np.lexsort((np.arange(len(units)), -typical, labels))
    firsts = np.cumsum(sizes) - sizes
    found: NDArray[np.int64] = order[firsts].astype(np.int64)
    return found
