"""What colours mean: a scale with numbers, and swatches with names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pipeline.drawing.canvas import Canvas, text_width
from pipeline.drawing.palette import GREY, INK, NOTHING, RGB, amount_colours, depth_colours
from pipeline.drawing.scale import decimals

BAR_WIDTH = 330

_SIZE = 15
_BAR_HEIGHT = 10
_NUMBERS_BELOW = 26  # from the bar's top to the baseline of its numbers
_UNIT_ROOM = 40  # behind a bar: half a number and the unit
_SWATCH, _PAD, _BETWEEN, _LINE = 13, 6, 20, 21


def scale_bar(
    canvas: Canvas, left_top: tuple[float, float], marks_m: Sequence[float], *, width: float
) -> None:
    """A colour scale in metres, its unit behind it.

    Args:
        left_top: of the bar, pixels.
        marks_m: numbers below it; the first and the last are its ends.
        width: of the bar, pixels.
    """
    left, top = left_top
    low_m, high_m = marks_m[0], marks_m[-1]
    _ramp(canvas, left_top, depth_colours(_row(low_m, high_m, width), low_m, high_m), width)
    _numbers(canvas, left_top, marks_m, width)
    last = f"{high_m:.{decimals(marks_m)}f}"
    behind = left + width + text_width(last, _SIZE) / 2 + _PAD
    canvas.text((behind, top + _NUMBERS_BELOW), "m", _SIZE)


def amount_bar(
    canvas: Canvas, left_top: tuple[float, float], marks: Sequence[float], *, width: float
) -> None:
    """A colour scale of amounts without a unit, from little to much.

    Args:
        left_top: of the bar, pixels.
        marks: numbers below it; the first and the last are its ends.
        width: of the bar, pixels.
    """
    low, high = marks[0], marks[-1]
    _ramp(canvas, left_top, amount_colours(_row(low, high, width), low, high), width)
    _numbers(canvas, left_top, marks, width)


def order_bar(canvas: Canvas, left_top: tuple[float, float], *, width: float) -> None:
    """A colour scale of what has no unit: from near to far.

    Args:
        left_top: of the bar, pixels.
        width: of the bar, pixels.
    """
    left, top = left_top
    _ramp(canvas, left_top, depth_colours(_row(0.0, 1.0, width), 0.0, 1.0), width)
    canvas.text((left, top + _NUMBERS_BELOW), "near", _SIZE)
    canvas.text((left + width, top + _NUMBERS_BELOW), "far", _SIZE, anchor="rs")


def bar_left(right: float) -> float:
    """Where a bar of `BAR_WIDTH` begins whose unit ends at `right`, pixels."""
    return right - _UNIT_ROOM - BAR_WIDTH


def swatches(
    canvas: Canvas,
    start: tuple[float, float],
    entries: Sequence[tuple[RGB, str]],
    *,
    right: float,
    lines: int = 1,
) -> None:
    """Named colours, as many as fit, and how many more there are.

    Args:
        start: left and baseline of the first line, pixels.
        entries: colours and their names, the important ones first.
        right: where lines end.
        lines: most lines.
    """
    x, baseline = start
    for number, (rgb, name) in enumerate(entries):
        rest = f"and {len(entries) - number} more"
        needed = _SWATCH + _PAD + text_width(name, _SIZE) + _BETWEEN
        last_line = lines == 1
        room = 0 if number == len(entries) - 1 or not last_line else text_width(rest, _SIZE)
        if x + needed - _BETWEEN + room > right:
            if last_line:
                canvas.text((x, baseline), rest, _SIZE, fill=GREY)
                return
            x, baseline, lines = start[0], baseline + _LINE, lines - 1
        box = (x, baseline - _SWATCH + 1, x + _SWATCH, baseline + 1)
        canvas.rectangle(box, rgb, radius=2)
        canvas.text((x + _SWATCH + _PAD, baseline), name, _SIZE, fill=INK)
        x += needed


def named_shares(shares: Mapping[str, float], colours: Mapping[str, RGB]) -> list[tuple[RGB, str]]:
    """Entries for `swatches`: coloured names with their shares, and what is left together."""
    entries = [(rgb, f"{name} {_percent(shares[name])}") for name, rgb in colours.items()]
    others = {name: share for name, share in shares.items() if name not in colours}
    if others:
        name = f"{len(others)} others" if len(others) > 1 else next(iter(others))
        entries.append((NOTHING, f"{name} {_percent(sum(others.values()))}"))
    return entries


def _percent(share: float) -> str:
    return f"{100 * share:.0f}%" if share >= 0.005 else "<1%"


def _row(low: float, high: float, width: float) -> NDArray[np.float32]:
    """Numbers along a bar, `[1, W]`."""
    return np.linspace(low, high, round(width) * 2, dtype=np.float32)[None, :]


def _ramp(
    canvas: Canvas, left_top: tuple[float, float], colours: NDArray[np.uint8], width: float
) -> None:
    left, top = left_top
    box = (left, top, left + width, top + _BAR_HEIGHT)
    canvas.paste(Image.fromarray(colours), box, smooth=False)


def _numbers(
    canvas: Canvas, left_top: tuple[float, float], marks: Sequence[float], width: float
) -> None:
    left, top = left_top
    low, high = marks[0], marks[-1]
    for mark in marks:
        x = left + width * (mark - low) / (high - low)
        canvas.line([(x, top + _BAR_HEIGHT), (x, top + _BAR_HEIGHT + 3)], GREY)
        text = f"{mark:.{decimals(marks)}f}"
        canvas.text((x, top + _NUMBERS_BELOW), text, _SIZE, anchor="ms")
