"""The sheet: panels on a paper 1600 pixels wide, frame after frame.

What stays (heading, titles, legends) is drawn once; of a frame only the pictures and its time are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from pipeline.drawing.canvas import Canvas, shortened
from pipeline.drawing.palette import GREY
from pipeline.drawing.warning import warning_sign
from pipeline.render.layout import HEADER, MARGIN, WIDTH, Layout, arranged
from pipeline.render.panel import Panel, Pixels

_CLOCK_WIDTH, _CLOCK_HEIGHT = 170, 32


@dataclass(frozen=True, slots=True)
class Heading:
    """What stands above all: whose records, of which model, and what warns of them, if anything."""

    name: str
    model: str
    warning: str = ""


class Sheet:
    """Draws the frames of a film."""

    def __init__(
        self, heading: Heading, panels: Sequence[Panel], source_hw: tuple[int, int]
    ) -> None:
        """
        Args:
            heading: what stands above.
            panels: from left to right, from top to bottom.
            source_hw: height and width of the footage as displayed.
        """
        self._panels = panels
        self.layout: Layout = arranged(len(panels), source_hw)
        self._paper = self._drawn_paper(heading)

    @property
    def short_side(self) -> int:
        """Of the frames it wants, pixels."""
        cell = self.layout.cells[0]
        return max(14, min(cell.width, cell.height))

    def frame(self, pixels: Pixels, moment_us: int, elapsed_s: float) -> Pixels:
        """One frame of the film, RGB uint8 `[H, 1600, 3]`.

        Args:
            pixels: of the footage, RGB uint8, any size.
            moment_us: event time; never goes back from call to call.
            elapsed_s: since the recording's first frame.
        """
        sheet = self._paper.copy()
        cell = self.layout.cells[0]
        fitted = Image.fromarray(pixels).resize((cell.width, cell.height), Image.Resampling.BICUBIC)
        frame = np.asarray(fitted)
        began_us = moment_us - round(elapsed_s * 1e6)
        for panel, cell in zip(self._panels, self.layout.cells, strict=True):
            picture = panel.picture(moment_us, frame, began_us)
            sheet[cell.top : cell.top + cell.height, cell.left : cell.left + cell.width] = picture
        clock = _clock(elapsed_s)
        top, right = (HEADER - _CLOCK_HEIGHT) // 2, WIDTH - MARGIN
        sheet[top : top + _CLOCK_HEIGHT, right - _CLOCK_WIDTH : right] = clock
        return sheet

    def _drawn_paper(self, heading: Heading) -> Pixels:
        canvas = Canvas(WIDTH, self.layout.height)
        left = canvas.text((MARGIN, 41), shortened(heading.name, 24, WIDTH / 3), 24, bold=True)
        canvas.text((left + 20, 41), heading.model, 16, fill=GREY)
        if heading.warning:
            warning_sign(canvas, heading.warning, WIDTH - MARGIN - _CLOCK_WIDTH - 16, 13)
        for panel, cell in zip(self._panels, self.layout.cells, strict=True):
            end = canvas.text((cell.left, cell.top - 9), panel.title, 18, bold=True)
            note = shortened(panel.note, 15, cell.right - end - 12)
            canvas.text((end + 12, cell.top - 9), note, 15, fill=GREY)
            panel.draw_legend(canvas, cell)
        return np.asarray(canvas.finish(self.layout.height))


def _clock(elapsed_s: float) -> Pixels:
    canvas = Canvas(_CLOCK_WIDTH, _CLOCK_HEIGHT)
    minutes, seconds = divmod(round(elapsed_s, 1), 60)
    hours, minutes = divmod(int(minutes), 60)
    text = f"{hours}:{minutes:02}:{seconds:04.1f}" if hours else f"{minutes}:{seconds:04.1f}"
    canvas.text((_CLOCK_WIDTH, _CLOCK_HEIGHT / 2), text, 22, anchor="rm")
    return np.asarray(canvas.finish(_CLOCK_HEIGHT))
