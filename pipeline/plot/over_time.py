"""A chart over time: lines, or areas one on another. A value holds for the whole of its bin.

Values per bin in -> a panel out. Knows nothing of what they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from pipeline.drawing.palette import RGB
from pipeline.drawing.scale import decimals, round_scale
from pipeline.plot.bins import Span
from pipeline.plot.panel import HEAD, SMALL, Foot, draw_head
from pipeline.plot.svg import Drawing, Point, text_width
from pipeline.plot.time_axis import Along, mark_text, marks, span_text

_HEIGHT = 150.0  # of the chart alone
_BELOW = 42.0  # its numbers and what its axis is
_LEFT = 44.0


@dataclass(frozen=True, slots=True)
class Series:
    """One line or area.

    Attributes:
        name: in the legend.
        values: one per bin, None where nothing is known.
        dashed: where one colour has two lines.
    """

    name: str
    values: Sequence[float | None]
    colour: RGB
    dashed: bool = False


@dataclass(frozen=True, slots=True)
class OverTime:
    """A panel.

    Attributes:
        unit: of the values, in words.
        span: its bins.
        along: what the bins' seconds are.
        stacked: areas, the first at the bottom, instead of lines.
        top: the scale's end where it is known.
        bottom: its beginning; lines of values that differ by little want one near to them.
    """

    title: str
    unit: str
    span: Span
    series: Sequence[Series]
    along: Along = "moments"
    stacked: bool = False
    top: float | None = None
    bottom: float = 0.0
    notes: Sequence[str] = ()
    warning: str = ""
    wide: bool = False

    @property
    def spoken(self) -> str:
        """Title, unit, and what there is a line or an area of."""
        names = ", ".join(name for name, _ in self._foot.legend)
        said = [f"{self.title}, {self.unit}: {names}.", self.warning, *self.notes]
        return " ".join(filter(None, said))

    def height(self, width: float) -> float:
        """Pixels."""
        return HEAD + _HEIGHT + _BELOW + self._foot.height(width)

    def draw(self, drawing: Drawing, left: float, top: float, width: float) -> None:
        """Into a drawing, there."""
        draw_head(drawing, (left, top), width, self.title, self.unit)
        box = _Box(left + _LEFT, top + HEAD, left + width, top + HEAD + _HEIGHT)
        scale = round_scale(self.bottom, self.top or self._highest, steps=4)
        self._draw_axes(drawing, box, scale)
        places = _Places(box, self.span.count, scale[0], scale[-1])
        if self.stacked:
            self._draw_areas(drawing, places)
        else:
            self._draw_lines(drawing, places)
        self._foot.draw(drawing, (left, box.bottom + _BELOW), width)

    @property
    def _foot(self) -> Foot:
        legend = [(one.name, one.colour) for one in self.series if not one.dashed]
        return Foot(legend, self.notes, self.warning)

    @property
    def _highest(self) -> float:
        if self.stacked:
            return max((sum(value or 0 for value in row) for row in self._rows), default=0)
        return max((value or 0 for one in self.series for value in one.values), default=0)

    @property
    def _rows(self) -> list[tuple[float | None, ...]]:
        return list(zip(*(one.values for one in self.series), strict=True))

    def _draw_axes(self, drawing: Drawing, box: _Box, scale: Sequence[float]) -> None:
        for mark in scale:
            share = (mark - scale[0]) / (scale[-1] - scale[0])
            y = box.bottom - (box.bottom - box.top) * share
            drawing.rule((box.left, y), (box.right, y))
            said = f"{mark:.{decimals(scale)}f}"
            drawing.text((box.left - 6, y + 4), said, SMALL, role="grey", anchor="end")
        moments = marks(self.span, most=6, along=self.along)
        step_s = moments[1] - moments[0] if len(moments) > 1 else self.span.width_s
        length_s = self.span.end_s - self.span.first_s
        for at_s in moments:
            x = box.left + (box.right - box.left) * (at_s - self.span.first_s) / length_s
            drawing.rule((x, box.bottom), (x, box.bottom + 4), role="grey")
            said = mark_text(at_s, step_s, along=self.along)
            x = min(x, box.right - text_width(said, SMALL) / 2)
            drawing.text((x, box.bottom + 17), said, SMALL, role="grey", anchor="middle")
        told = span_text(self.span, along=self.along)
        drawing.text((box.right, box.bottom + 32), told, SMALL, role="grey", anchor="end")

    def _draw_lines(self, drawing: Drawing, places: _Places) -> None:
        for one in self.series:
            for run in _runs(one.values, lambda value: value is not None):
                line = places.steps(run, [value or 0 for value in one.values])
                drawing.line(line, one.colour, dashed=one.dashed)

    def _draw_areas(self, drawing: Drawing, places: _Places) -> None:
        below = [0.0] * self.span.count
        for one in self.series:
            above = [low + (value or 0) for low, value in zip(below, one.values, strict=True)]
            for run in _runs(one.values, bool):
                around = [*places.steps(run, above), *reversed(places.steps(run, below))]
                drawing.area(around, one.colour, one.name)
            below = above


@dataclass(frozen=True, slots=True)
class _Box:
    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True, slots=True)
class _Places:
    """Bins and values -> places in a box."""

    box: _Box
    bins: int
    lowest: float
    highest: float

    def steps(self, run: range, values: Sequence[float]) -> list[Point]:
        """Along the tops of some bins."""
        width = (self.box.right - self.box.left) / self.bins
        points = []
        for at in run:
            share = (values[at] - self.lowest) / (self.highest - self.lowest)
            y = self.box.bottom - (self.box.bottom - self.box.top) * share
            points += [(self.box.left + at * width, y), (self.box.left + (at + 1) * width, y)]
        return points


def _runs(values: Sequence[float | None], known: Callable[[float | None], bool]) -> Iterator[range]:
    """Bins next to each other that have something."""
    for holds, group in groupby(range(len(values)), key=lambda at: known(values[at])):
        if holds:
            bins = list(group)
            yield range(bins[0], bins[-1] + 1)
