"""What every picture on a sheet can do, and how a map is laid over a frame."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pipeline.drawing.canvas import Canvas
from pipeline.drawing.palette import NOTHING
from pipeline.render.layout import Cell

Pixels = NDArray[np.uint8]


class Panel(Protocol):
    """One picture of the sheet: a heading and a legend that stay, and pixels that change."""

    title: str
    note: str

    def draw_legend(self, canvas: Canvas, cell: Cell) -> None:
        """Called once: what its colours mean, below the cell."""
        ...

    def picture(self, moment_us: int, frame: Pixels, began_us: int) -> Pixels:
        """Called for each frame of the film, in order: the cell's pixels.

        Args:
            moment_us: event time.
            frame: the footage at the cell's size, RGB uint8 `[H, W, 3]`.
            began_us: event time of the recording's first frame.
        """
        ...


class FramePanel:
    """The footage itself."""

    title, note = "video", ""

    def draw_legend(self, canvas: Canvas, cell: Cell) -> None:
        """Nothing to explain."""

    def picture(self, moment_us: int, frame: Pixels, began_us: int) -> Pixels:
        """As it is."""
        return frame


def laid_over(colours: Pixels | None, frame: Pixels, share: float, *, smooth: bool) -> Pixels:
    """A map over a frame; the frame is grey under it, so that its colours stay readable.

    Args:
        colours: the map, RGB uint8 `[h, w, 3]`, of any size; None where there is none yet.
        frame: RGB uint8 `[H, W, 3]`.
        share: of the map, 0 to 1; 1 hides the frame.
        smooth: interpolate; the edges of classes must stay.
    """
    if colours is None:
        return frame if share < 1 else np.full_like(frame, NOTHING)
    filter_ = Image.Resampling.BILINEAR if smooth else Image.Resampling.NEAREST
    height, width = frame.shape[:2]
    fitted = Image.fromarray(colours).resize((width, height), filter_)
    if share < 1:
        grey = Image.fromarray(frame).convert("L").convert("RGB")
        fitted = Image.blend(grey, fitted, share)
    return np.asarray(fitted)
