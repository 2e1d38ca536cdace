"""A mask as the lengths of its runs, as COCO writes it uncompressed: JSON, small, exact."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def run_lengths(mask: NDArray[np.bool_]) -> dict[str, Any]:
    """`size`, height and width, and `counts`: cells outside, inside, outside, ... column by column.

    Args:
        mask: `[h, w]`.
    """
    cells = np.concatenate([[False], mask.ravel(order="F")])
    ends = [*np.flatnonzero(cells[1:] != cells[:-1]), mask.size]
    return {"size": list(mask.shape), "counts": np.diff(ends, prepend=0).tolist()}
