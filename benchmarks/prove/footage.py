"""Two clips with something else in every picture, small, and as long as there is to kill."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.media.encode import write_clip

SIZE_HW = (64, 96)
FPS = 10


def write_footage(folder: Path, frames: int) -> Path:
    """Write two clips of half as many frames each; the folder.

    Args:
        folder: made here.
        frames: in all.
    """
    folder.mkdir(parents=True)
    for name in ("one", "two"):
        write_clip(folder / f"{name}.mp4", _pictures(frames // 2, name == "two"), fps=FPS)
    return folder


def _pictures(frames: int, turned: bool) -> Iterator[NDArray[np.uint8]]:
    height, width = SIZE_HW
    rows, columns = np.mgrid[:height, :width]
    for number in range(frames):
        bars = (columns * 4 + number * 7) % 256
        ramp = (rows * 3 + number * 5) % 256
        channels = (ramp, bars, bars ^ ramp) if turned else (bars, ramp, bars ^ ramp)
        yield np.stack(channels, axis=-1).astype(np.uint8)
