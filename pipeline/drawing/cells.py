"""Places of pictures on a contact sheet: row by row, all alike, with room for words below each."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.drawing.canvas import Box

WIDTH, MARGIN = 1600, 24  # of a sheet, pixels
GAP, CAPTION = 20, 58
SHAPE_HW = (9, 16)


@dataclass(frozen=True, slots=True)
class Cells:
    """
    Attributes:
        count: pictures.
        columns: of them in a row.
        top: where the first row begins, pixels.
    """

    count: int
    columns: int
    top: int

    @property
    def bottom(self) -> int:
        """Where the last row's words end."""
        return self.top + -(-self.count // self.columns) * self._pitch

    def box(self, number: int) -> Box:
        """Where a picture lies."""
        row, column = divmod(number, self.columns)
        left, top = MARGIN + column * (self._width + GAP), self.top + row * self._pitch
        return left, top, left + self._width, top + self._height

    @property
    def _width(self) -> int:
        return (WIDTH - 2 * MARGIN - (self.columns - 1) * GAP) // self.columns

    @property
    def _height(self) -> int:
        return self._width * SHAPE_HW[0] // SHAPE_HW[1]

    @property
    def _pitch(self) -> int:
        return self._height + CAPTION
