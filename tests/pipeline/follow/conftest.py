"""A clip in which a lid goes to the right and leaves the picture, with its true masks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipeline.media.encode import write_clip

SIZE_HW = (112, 168)
FRAMES, FPS, SIDE, STEP = 12, 5, 42, 14


def lid(number: int) -> np.ndarray:
    """Where it is, bool `[H, W]`."""
    mask = np.zeros(SIZE_HW, bool)
    mask[28 : 28 + SIDE, 28 + number * STEP : 28 + number * STEP + SIDE] = True
    return mask


def frame(number: int) -> np.ndarray:
    draw = np.random.default_rng(3)
    picture = draw.integers(20, 60, (*SIZE_HW, 3)).astype(np.uint8)
    picture[lid(number)] = (230, 40, 30)
    return picture


@pytest.fixture(scope="session")
def lid_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("lid") / "lid.mp4"
    write_clip(path, (frame(number) for number in range(FRAMES)), fps=FPS)
    return path


@pytest.fixture(scope="session")
def true_lid():
    """`true_lid(number)`: its mask in a frame of `lid_clip`."""
    return lid
