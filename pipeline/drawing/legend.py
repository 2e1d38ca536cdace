"""What colours mean: a scale with numbers, and swatches with names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from PIL import Image

from pipeline.drawing.canvas import Canvas, text_width
from pipeline.drawing.palette import GREY, INK, NOTHING, RGB, depth_colours
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
    _ramp(canvas, left_top, (low_m, high_m), width)
    baseline = top + _NUMBERS_BELOW
    for mark_m in marks_m:
        x = left + width * (mark_m - low_m) / (high_m - low_m)
        canvas.line([(x, top + _BAR_HEIGHT), (x, top + _BAR_HEIGHT + 3)], GREY)
        canvas.text((x, baseline), f"{mark_m:.{decimals(marks_m)}f}", _SIZE, anchor="ms")
    last = f"{high_m:.{decimals(marks_m)}f}"
    canvas.text((left + width + text_width(last, _SIZE) / 2 + _PAD, baseline), "m", _SIZE)


def order_bar(canvas: Canvas, left_top: tuple[float, float], *, width: float) -> None:
    """A colour scale of what has no unit: from near to far.

    Args:
        left_top: of the bar, pixels.
        width: of the bar, pixels.
    """
    left, top = left_top
    _ramp(canvas, left_top, (0.0, 1.0), width)
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


def _ramp(
    canvas: Canvas, left_top: tuple[float, float], ends: tuple[float, float], width: float
) -> None:
    left, top = left_top
    ramp = np.linspace(*ends, round(width) * 2, dtype=np.float32)[None, :]
    box = (left, top, left + width, top + _BAR_HEIGHT)
    canvas.paste(Image.fromarray(depth_colours(ramp, *ends)), box, smooth=False)
