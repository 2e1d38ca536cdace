"""A chart over the clip's time that fits the columns: frames above, the same moment below.

Values and times in -> places, and a scale at the left. Knows nothing of operators.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.demo.layout import LEFT, RIGHT, Grid
from pipeline.drawing.canvas import Canvas
from pipeline.drawing.palette import GREY, RULE


@dataclass(frozen=True, slots=True)
class Chart:
    """A box under the columns.

    Attributes:
        grid: the columns.
        top, bottom: of the values' range, pixels.
        marks: numbers of the scale, the lowest first; they end the range.
    """

    grid: Grid
    top: float
    bottom: float
    marks: Sequence[float]

    def draw_scale(self, canvas: Canvas, form: str) -> None:
        """Faint lines, and their numbers in this format."""
        for mark in self.marks:
            y = self.y(mark)
            canvas.line([(LEFT, y), (RIGHT, y)], RULE)
            canvas.text((LEFT - 8, y), format(mark, form), 13, fill=GREY, anchor="rm")

    def x(self, time_s: float) -> float:
        """Where a moment is."""
        return self.grid.across([time_s])[0]

    def y(self, value: float) -> float:
        """Where a value is."""
        low, high = self.marks[0], self.marks[-1]
        return self.bottom - (self.bottom - self.top) * (value - low) / (high - low)
