"""What colours mean: a scale with numbers, and swatches with names."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image

from pipeline.demo.canvas import Canvas, text_width
from pipeline.demo.layout import RIGHT, decimals
from pipeline.demo.palette import GREY, INK, RGB, depth_colours

_SIZE = 15
_BAR_WIDTH, _BAR_HEIGHT = 330, 10
_SWATCH, _PAD, _BETWEEN = 13, 6, 20


def scale_bar(canvas: Canvas, baseline: float, marks_m: Sequence[float]) -> None:
    """A colour scale in metres that ends at the right margin.

    Args:
        baseline: of its numbers.
        marks_m: numbers below it; the first and the last are its ends.
    """
    low_m, high_m = marks_m[0], marks_m[-1]
    right = RIGHT - text_width("m", _SIZE) - 18
    left = right - _BAR_WIDTH
    ramp = np.linspace(low_m, high_m, _BAR_WIDTH * 2, dtype=np.float32)[None, :]
    top = baseline - 16 - _BAR_HEIGHT
    image = Image.fromarray(depth_colours(ramp, low_m, high_m))
    canvas.paste(image, (left, top, right, top + _BAR_HEIGHT), smooth=False)
    for mark_m in marks_m:
        x = left + _BAR_WIDTH * (mark_m - low_m) / (high_m - low_m)
        canvas.line([(x, top + _BAR_HEIGHT), (x, top + _BAR_HEIGHT + 3)], GREY)
        canvas.text((x, baseline), f"{mark_m:.{decimals(marks_m)}f}", _SIZE, anchor="ms")
    canvas.text((right + 18, baseline), "m", _SIZE)


def swatches(
    canvas: Canvas, left: float, baseline: float, entries: Sequence[tuple[RGB, str]]
) -> None:
    """Named colours in one line, as many as fit, and how many more there are."""
    x = left
    for number, (rgb, name) in enumerate(entries):
        rest = f"and {len(entries) - number} more"
        needed = _SWATCH + _PAD + text_width(name, _SIZE) + _BETWEEN
        last = number == len(entries) - 1
        if x + needed + (0 if last else text_width(rest, _SIZE)) > RIGHT:
            canvas.text((x, baseline), rest, _SIZE, fill=GREY)
            return
        box = (x, baseline - _SWATCH + 1, x + _SWATCH, baseline + 1)
        canvas.rectangle(box, rgb, radius=2)
        canvas.text((x + _SWATCH + _PAD, baseline), name, _SIZE, fill=INK)
        x += needed
