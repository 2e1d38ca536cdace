"""Where pictures stand on a sheet 1600 pixels wide: as large as they can be, legends below them."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.drawing.canvas import Box

WIDTH = 1600
MARGIN = 24
GAP = 20
HEADER = 64
TITLE = 30  # above a picture
LEGEND = 52  # below it
TALLEST = 1080


@dataclass(frozen=True, slots=True)
class Cell:
    """A picture's place on the sheet, pixels; `right` ends the column, legends may go so far."""

    left: int
    top: int
    width: int
    height: int
    right: int

    @property
    def box(self) -> Box:
        """Left, top, right, bottom of the picture."""
        return (self.left, self.top, self.left + self.width, self.top + self.height)


@dataclass(frozen=True, slots=True)
class Layout:
    """A sheet's cells, and its height: even, as codecs want it."""

    cells: tuple[Cell, ...]
    height: int


def arranged(count: int, source_hw: tuple[int, int]) -> Layout:
    """Places for so many pictures of the footage's shape, in as many columns as show most.

    Args:
        count: pictures, at least 1.
        source_hw: height and width of the footage as displayed.
    """
    sizes = {columns: _size(columns, count, source_hw) for columns in range(1, count + 1)}
    columns = max(sizes, key=lambda number: sizes[number])
    width, height = sizes[columns]
    step = (WIDTH - 2 * MARGIN + GAP) / columns
    pitch = TITLE + height + LEGEND
    cells = []
    for number in range(count):
        row, column = divmod(number, columns)
        left = round(MARGIN + column * step)
        right = round(MARGIN + (column + 1) * step - GAP)
        cells.append(Cell(left, HEADER + row * pitch + TITLE, width, height, right))
    rows = -(-count // columns)
    total = HEADER + rows * pitch + MARGIN // 2
    return Layout(tuple(cells), total + total % 2)


def _size(columns: int, count: int, source_hw: tuple[int, int]) -> tuple[int, int]:
    """Width and height of a picture in so many columns."""
    height, width = source_hw
    rows = -(-count // columns)
    widest = (WIDTH - 2 * MARGIN - (columns - 1) * GAP) / columns
    highest = (TALLEST - HEADER - MARGIN // 2) / rows - TITLE - LEGEND
    shrunk = min(widest / width, highest / height)
    return max(8, int(width * shrunk)), max(8, int(height * shrunk))
