"""Bars that lie, one per row: of parts, or with the range of several rounds and a goal.

Numbers in -> a panel out. Knows nothing of what they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.drawing.palette import RGB
from pipeline.drawing.scale import decimals, round_scale
from pipeline.plot.panel import HEAD, SMALL, Entry, Foot, draw_head
from pipeline.plot.svg import Drawing, shortened, text_width

_ROW, _BAR = 24.0, 14.0
_BELOW = 30.0  # the numbers of the scale
_GAP = 8.0
_LABELS = 0.55  # of the width, at most
_STEPS = 5


@dataclass(frozen=True, slots=True)
class Part:
    """Of a bar: how long, and what it is."""

    value: float
    colour: RGB
    name: str = ""


@dataclass(frozen=True, slots=True)
class Bar:
    """One row.

    Attributes:
        name: before it.
        parts: one behind another.
        said: behind it.
        low, high: what the rounds were between; None where there was one.
        goal: None without one.
    """

    name: str
    parts: Sequence[Part]
    said: str
    low: float | None = None
    high: float | None = None
    goal: float | None = None

    @property
    def value(self) -> float:
        """Of all parts."""
        return sum(part.value for part in self.parts)


@dataclass(frozen=True, slots=True)
class Bars:
    """A panel; `unit` in words."""

    title: str
    unit: str
    rows: Sequence[Bar]
    legend: Sequence[Entry] = ()
    notes: Sequence[str] = ()
    warning: str = ""
    wide: bool = False

    @property
    def spoken(self) -> str:
        """Title, unit, and every row's number."""
        rows = ", ".join(f"{row.name}: {row.said}" for row in self.rows)
        said = [f"{self.title}, {self.unit}; {rows}.", self.warning, *self.notes]
        return " ".join(filter(None, said))

    def height(self, width: float) -> float:
        """Pixels."""
        return HEAD + _ROW * len(self.rows) + _BELOW + self._foot.height(width)

    def draw(self, drawing: Drawing, left: float, top: float, width: float) -> None:
        """Into a drawing, there."""
        draw_head(drawing, (left, top), width, self.title, self.unit)
        ruler = self._ruler(left, left + width)
        bottom = top + HEAD + _ROW * len(self.rows)
        self._draw_scale(drawing, ruler, top + HEAD, bottom)
        for number, row in enumerate(self.rows):
            middle = top + HEAD + _ROW * (number + 0.5)
            name = shortened(row.name, ruler.left - left - _GAP, SMALL)
            drawing.text((ruler.left - _GAP, middle + 4), name, SMALL, anchor="end")
            _draw_bar(drawing, ruler, row, middle)
        self._foot.draw(drawing, (left, bottom + _BELOW), width)

    @property
    def _foot(self) -> Foot:
        return Foot(self.legend, self.notes, self.warning)

    def _ruler(self, left: float, right: float) -> _Ruler:
        """Room for names before the bars, and for what is said behind the longest."""
        values = [
            number
            for row in self.rows
            for number in (row.value, row.low, row.high, row.goal)
            if number is not None
        ]
        scale = round_scale(min(0.0, *values), max(0.0, *values), steps=_STEPS)
        names = max(text_width(row.name, SMALL) for row in self.rows) + _GAP
        said = max(text_width(row.said, SMALL) for row in self.rows) + _GAP
        begin = left + min(names, _LABELS * (right - left))
        return _Ruler(begin, max(right - said, begin + 40), scale)

    def _draw_scale(self, drawing: Drawing, ruler: _Ruler, top: float, bottom: float) -> None:
        for mark in ruler.scale:
            x = ruler.x(mark)
            drawing.rule((x, top), (x, bottom))
            said = f"{mark:.{decimals(ruler.scale)}f}"
            drawing.text((x, bottom + 16), said, SMALL, role="grey", anchor="middle")


@dataclass(frozen=True, slots=True)
class _Ruler:
    left: float
    right: float
    scale: Sequence[float]

    def x(self, value: float) -> float:
        low, high = self.scale[0], self.scale[-1]
        return self.left + (self.right - self.left) * (value - low) / (high - low)


def _draw_bar(drawing: Drawing, ruler: _Ruler, row: Bar, middle: float) -> None:
    begin, top, bottom = 0.0, middle - _BAR / 2, middle + _BAR / 2
    for part in row.parts:
        ends = sorted((ruler.x(begin), ruler.x(begin + part.value)))
        if part.value:
            drawing.box(ends[0], top, ends[1], bottom, part.colour, part.name)
        begin += part.value
    furthest = row.value
    if row.low is not None and row.high is not None:
        drawing.rule((ruler.x(row.low), middle), (ruler.x(row.high), middle), role="ink")
        for end in (row.low, row.high):
            drawing.rule((ruler.x(end), middle - 4), (ruler.x(end), middle + 4), role="ink")
        furthest = max(furthest, row.high)
    if row.goal is not None:
        x = ruler.x(row.goal)
        drawing.rule((x, top - 3), (x, bottom + 3), role="ink", dashed=True)
        furthest = max(furthest, row.goal)
    drawing.text((ruler.x(max(furthest, 0.0)) + _GAP, middle + 4), row.said, SMALL)
