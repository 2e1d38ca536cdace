"""Features that went wrong must not become facts: one check for what operators are about to say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from operators.errors import DinostreamError
from operators.frames import FrameInfo

if TYPE_CHECKING:
    from torch import Tensor


def finite_rows(values: Tensor) -> Tensor:
    """Whether all of each row are numbers: `[R, ...]` -> bool `[R]`, on the same device."""
    return values.flatten(1).isfinite().all(dim=1)


def require_finite(values: NDArray[Any] | np.generic, info: FrameInfo, *, operator: str) -> None:
    """Hold a frame's numbers to being numbers.

    Args:
        values: the numbers, or one bool: whether all of them are, as `finite_rows` has found.
        info: the frame.
        operator: who is about to publish them.

    Raises:
        DinostreamError: names the frame with NaN or infinity.
    """
    if not (values if values.dtype == np.bool_ else np.isfinite(values)).all():
        raise DinostreamError(
            f"{operator}: frame {info.position} of {info.stream} gives NaN or infinity; are the "
            "weights sound, and is the engine's dtype wide enough for them?",
        )
