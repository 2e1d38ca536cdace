"""What every picture on a sheet can do, and how a map is laid over a frame."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pipeline.drawing.canvas import Canvas
from pipeline.drawing.palette import NOTHING
from pipeline.render.layout import Cell
from pipeline.render.overlay import Overlay, Scale

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
    """The footage itself, with what is drawn over it."""

    title, note = "video", ""

    def __init__(
        self, overlays: Sequence[Overlay] = (), source_hw: tuple[int, int] = (1, 1)
    ) -> None:
        """
        Args:
            overlays: what is drawn over it, in their order.
            source_hw: height and width that their coordinates are of.
        """
        self._overlays = overlays
        self._source_hw = source_hw

    @property
    def overlaid(self) -> bool:
        """Something is drawn over it."""
        return bool(self._overlays)

    def draw_legend(self, canvas: Canvas, cell: Cell) -> None:
        """Nothing to explain."""

    def picture(self, moment_us: int, frame: Pixels, began_us: int) -> Pixels:
        """As it is, where nothing is drawn over it."""
        if not self._overlays:
            return frame
        height, width = frame.shape[:2]
        canvas = Canvas(width, height)
        canvas.paste(Image.fromarray(frame), (0, 0, width, height))
        scale = Scale(width / self._source_hw[1], height / self._source_hw[0], (width, height))
        for overlay in self._overlays:
            overlay.draw(canvas, scale, moment_us, began_us)
        return np.asarray(canvas.finish(height))


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
