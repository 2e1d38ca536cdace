"""Numbers that are none are not published."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from operators.errors import DinostreamError
from operators.finite import require_finite
from operators.frames import FrameInfo


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_the_frame_is_named(frame: Callable[..., FrameInfo], bad: float) -> None:
    values = np.zeros((3, 2, 2), dtype=np.float32)
    values[1, 0, 1] = bad
    infos = [frame(0), frame(1, stream="door"), frame(2)]

    with pytest.raises(DinostreamError, match="depth: frame 18000 of door"):
        require_finite(values, infos, operator="depth")


def test_numbers_pass(frame: Callable[..., FrameInfo]) -> None:
    require_finite(np.array([[1e38], [-1e38]]), [frame(0), frame(1)], operator="depth")
