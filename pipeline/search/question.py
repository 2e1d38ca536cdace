"""What is looked for: vectors of what is liked and of what is not -> one direction. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from operators.errors import UsageError
from operators.groups.ranking import rocchio
from pipeline.vectors.nearest import Halves, unit


def direction(
    likes: Sequence[NDArray[np.floating]], dislikes: Sequence[NDArray[np.floating]] = ()
) -> Halves:
    """The mean of what is liked, less half the mean of what is not (`rocchio`).

    Args:
        likes: `[D]` each, of length one; at least one of them.
        dislikes: likewise, or none.

    Returns:
        float16 `[D]`, of length one.

    Raises:
        UsageError: they cancel each other.
    """
    try:
        return unit(rocchio(np.stack(likes), np.array(dislikes)))
    except ValueError:
        raise UsageError(
            "what is asked for points nowhere: likes and dislikes cancel each other; leave one out"
        ) from None
