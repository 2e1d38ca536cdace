"""What is looked for: vectors of what is liked and of what is not -> one direction. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from operators.errors import UsageError
from pipeline.vectors.nearest import Halves, unit

AWAY = 0.5  # how much what is not liked counts beside what is


def direction(
    likes: Sequence[NDArray[np.floating]], dislikes: Sequence[NDArray[np.floating]] = ()
) -> Halves:
    """The mean of what is liked, less half the mean of what is not (Rocchio, 1971).

    Args:
        likes: `[D]` each, of length one; at least one of them.
        dislikes: likewise, or none.

    Returns:
        float16 `[D]`, of length one.

    Raises:
        UsageError: they cancel each other.
    """
    wanted = np.mean(np.stack(likes).astype(np.float64), axis=0)
    if len(dislikes):
        wanted -= AWAY * np.mean(np.stack(dislikes).astype(np.float64), axis=0)
    try:
        return unit(wanted)
    except ValueError:
        raise UsageError(
            "what is asked for points nowhere: likes and dislikes cancel each other; leave one out"
        ) from None
