"""Zones and lines over a picture: their outlines with names, and a grid to read places off."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.drawing.canvas import Box, Canvas, shortened, text_width
from pipeline.drawing.palette import INK, PAPER, RGB, RULE, WARNING

_SIZE = 15
_PAD = 4
_TENTHS = 10


@dataclass(frozen=True, slots=True)
class Outline:
    """What is drawn of one zone or line.

    Attributes:
        name: written beside its first point.
        points: (x, y) in shares of the picture.
        closed: the last point is joined to the first.
        notes: further lines below the name.
        alarmed: an alert about it holds.
    """

    name: str
    points: Sequence[tuple[float, float]]
    closed: bool = True
    notes: tuple[str, ...] = ()
    alarmed: bool = False


def draw_outline(canvas: Canvas, box: Box, outline: Outline, colour: RGB) -> None:
    """One outline over the picture that fills a box; light around it, so that it is seen on any
    ground."""
    left, top, right, bottom = box
    points = [(left + x * (right - left), top + y * (bottom - top)) for x, y in outline.points]
    path = [*points, points[0], points[1]] if outline.closed else points
    fill = WARNING if outline.alarmed else colour
    canvas.line(path, PAPER, width=6 if outline.alarmed else 5)
    canvas.line(path, fill, width=4 if outline.alarmed else 3)
    for point in points:
        canvas.dot(point, 4, fill)
    _label(canvas, box, points[0], (outline.name, *outline.notes), fill)


def draw_grid(canvas: Canvas, box: Box, source_hw: tuple[int, int]) -> None:
    """A line at every tenth of a picture that fills a box: shares are written along its upper and
    left edge, pixels of the source along the lower and right one."""
    left, top, right, bottom = box
    height, width = source_hw
    for tenth in range(_TENTHS + 1):
        share = tenth / _TENTHS
        x, y = left + share * (right - left), top + share * (bottom - top)
        canvas.line([(x, top), (x, bottom)], RULE, width=1)
        canvas.line([(left, y), (right, y)], RULE, width=1)
        canvas.text((x, top - 8), f"{share:g}", _SIZE, anchor="ms")
        canvas.text((left - 8, y), f"{share:g}", _SIZE, anchor="rm")
        canvas.text((x, bottom + 18), f"{share * width:g}", _SIZE, anchor="ms")
        canvas.text((right + 8, y), f"{share * height:g}", _SIZE, anchor="lm")


def _label(
    canvas: Canvas, box: Box, point: tuple[float, float], lines: Sequence[str], colour: RGB
) -> None:
    """Text on a light ground beside a point, within the box."""
    left, top, right, bottom = box
    shown = [shortened(line, _SIZE, right - left - 2 * _PAD) for line in lines]
    width = max(text_width(line, _SIZE) for line in shown) + 2 * _PAD
    height = (_SIZE + _PAD) * len(shown) + _PAD
    x = min(max(point[0] + 8, left), right - width)
    y = min(max(point[1] + 8, top), bottom - height)
    canvas.rectangle((x, y, x + width, y + height), PAPER, outline=colour, radius=3)
    for number, line in enumerate(shown):
        baseline = y + (number + 1) * (_SIZE + _PAD) - _PAD / 2
        canvas.text((x + _PAD, baseline), line, _SIZE, fill=INK, bold=not number)
