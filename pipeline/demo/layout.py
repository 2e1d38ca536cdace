"""Where things stand in the picture: the grid of columns, its rows, and time across them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.drawing.canvas import Box

WIDTH = 1600
MARGIN = 40
GUTTER = 96  # names of rows stand here
GAP = 10
COLUMNS = 6
CELL_WIDTH = (WIDTH - 2 * MARGIN - GUTTER - (COLUMNS - 1) * GAP) // COLUMNS
LEFT = MARGIN + GUTTER
RIGHT = WIDTH - MARGIN


@dataclass(frozen=True, slots=True)
class Row:
    """A row that was drawn: its section, what it shows (frames, model, truth), top and bottom."""

    section: str
    shows: str
    top: int
    bottom: int


@dataclass(frozen=True, slots=True)
class Grid:
    """Columns of cells that keep the frames' shape.

    Attributes:
        source_hw: height and width of the frames as displayed.
        times_s: of the columns, seconds since the clip's first frame; at most `COLUMNS`.
    """

    source_hw: tuple[int, int]
    times_s: tuple[float, ...]

    @property
    def cell_height(self) -> int:
        """Upright frames are narrower than their column instead of very tall."""
        height, width = self.source_hw
        return max(20, min(CELL_WIDTH, round(CELL_WIDTH * height / width)))

    def middle(self, column: int) -> float:
        """Of a column, across."""
        return LEFT + column * (CELL_WIDTH + GAP) + CELL_WIDTH / 2

    def cell(self, column: int, top: float) -> Box:
        """Where a frame, or a map of it, goes."""
        height, width = self.source_hw
        half = min(CELL_WIDTH, self.cell_height * width / height) / 2
        middle = self.middle(column)
        return (middle - half, top, middle + half, top + self.cell_height)

    def across(self, times_s: Sequence[float]) -> list[float]:
        """Where moments stand, so that a column's own is in its middle."""
        middles = [self.middle(column) for column in range(len(self.times_s))]
        return [float(x) for x in np.interp(times_s, self.times_s, middles)]


def evenly(count: int, most: int = COLUMNS) -> list[int]:
    """Indices of at most so many of `count` things, the first and the last among them."""
    if count <= most:
        return list(range(count))
    return [round(step * (count - 1) / (most - 1)) for step in range(most)]
