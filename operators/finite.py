"""Features that went wrong must not become facts: one check for what operators are about to say."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from operators.errors import DinostreamError
from operators.frames import FrameInfo


def require_finite(
    values: NDArray[np.floating], infos: Sequence[FrameInfo], *, operator: str
) -> None:
    """Hold every frame's numbers to being numbers.

    Args:
        values: one row per frame, any shape behind it.
        infos: the frames.
        operator: who is about to publish them.

    Raises:
        DinostreamError: names the first frame with NaN or infinity in its row.
    """
    for info, row in zip(infos, values, strict=True):
        if not np.isfinite(row).all():
            raise DinostreamError(
                f"{operator}: frame {info.position} of {info.stream} gives NaN or infinity; are "
                "the weights sound, and is the engine's dtype wide enough for them?",
            )
