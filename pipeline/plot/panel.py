"""What every chart of a sheet has: a title with its unit, a legend, and notes below.

Texts in -> how high they are, and the same drawn. Knows nothing of what is between them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from pipeline.drawing.palette import RGB
from pipeline.plot.svg import Drawing, Point, shortened, text_width

HEAD = 44  # title and unit
SMALL = 11.0

_TITLE, _LINE = 14.0, 16.0
_SWATCH, _PAD, _BETWEEN = 10.0, 5.0, 14.0

Entry = tuple[str, RGB]


class Panel(Protocol):
    """One chart of a sheet."""

    @property
    def spoken(self) -> str:
        """What it shows, for whoever does not see it."""
        ...

    @property
    def wide(self) -> bool:
        """It takes the whole width of the sheet."""
        ...

    def height(self, width: float) -> float:
        """In that width, pixels."""
        ...

    def draw(self, drawing: Drawing, left: float, top: float, width: float) -> None:
        """Into a drawing, there."""
        ...


def draw_head(drawing: Drawing, place: Point, width: float, title: str, unit: str) -> None:
    """Title and unit."""
    left, top = place
    drawing.text((left, top + 15), shortened(title, width, _TITLE * 1.08), _TITLE, bold=True)
    if unit:
        drawing.text((left, top + 32), shortened(unit, width, SMALL), SMALL, role="grey")


@dataclass(frozen=True, slots=True)
class Foot:
    """What stands below a chart.

    Attributes:
        legend: names and colours.
        notes: what a reader has to know, whole sentences.
        warning: why the values are not to be believed; "" where they are.
    """

    legend: Sequence[Entry] = ()
    notes: Sequence[str] = ()
    warning: str = ""

    def height(self, width: float) -> float:
        """In that width, pixels."""
        lines = max((line for _, line, _, _ in self._placed(width)), default=-1) + 1
        return _LINE * (lines + len(self._lines(width)))

    def draw(self, drawing: Drawing, place: Point, width: float) -> None:
        """Into a drawing, there."""
        left, top = place
        lines = 0
        for x, line, name, colour in self._placed(width):
            baseline = top + _LINE * (line + 1) - 4
            drawing.box(left + x, baseline - 9, left + x + _SWATCH, baseline + 1, colour)
            drawing.text((left + x + _SWATCH + _PAD, baseline), name, SMALL)
            lines = line + 1
        for role, text in self._lines(width):
            lines += 1
            drawing.text((left, top + _LINE * lines - 4), text, SMALL, role=role)

    def _lines(self, width: float) -> list[tuple[str, str]]:
        texts = [("warning", self.warning), *(("grey", note) for note in self.notes)]
        return [(role, line) for role, text in texts for line in wrapped(text, width)]

    def _placed(self, width: float) -> Iterator[tuple[float, int, str, RGB]]:
        """Every entry's place, pixels and line."""
        x, line = 0.0, 0
        for text, colour in self.legend:
            name = shortened(text, width - _SWATCH - _PAD, SMALL)
            needed = _SWATCH + _PAD + text_width(name, SMALL)
            if x and x + needed > width:
                x, line = 0.0, line + 1
            yield x, line, name, colour
            x += needed + _BETWEEN


def wrapped(text: str, width: float, size: float = SMALL) -> list[str]:
    """A text in lines of that width, pixels; a word that is wider is cut."""
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and text_width(longer, size) <= width:
            lines[-1] = longer
        else:
            lines.append(shortened(word, width, size))
    return lines
