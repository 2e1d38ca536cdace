"""Numbers that are none are not published."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from operators.errors import DinostreamError
from operators.finite import finite_rows, require_finite
from operators.frames import FrameInfo


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_the_frame_is_named(frame: Callable[..., FrameInfo], bad: float) -> None:
    values = torch.zeros((3, 2, 2))
    values[1, 0, 1] = bad
    finite = finite_rows(values)
    assert finite.tolist() == [True, False, True]
    for numbers in (values[1].numpy(), finite[1].numpy()):
        with pytest.raises(DinostreamError, match="depth: frame 18000 of door"):
            require_finite(numbers, frame(1, stream="door"), operator="depth")


def test_numbers_pass(frame: Callable[..., FrameInfo]) -> None:
    require_finite(np.array([1e38, -1e38]), frame(0), operator="depth")
    require_finite(np.array(True), frame(0), operator="depth")
