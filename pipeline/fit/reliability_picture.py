"""How far a head can be believed, as a picture: sure against right, depth said against depth true.

A curve in -> an image out. Knows nothing of heads.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from PIL import Image

from operators.learn.dense_evaluation import DepthCurve
from operators.learn.reliability import Reliability
from pipeline.drawing.canvas import Canvas, shortened
from pipeline.drawing.palette import GREY, INK, RGB, RULE

_WIDTH, _HEIGHT = 1000, 960
_BOX = (120.0, 150.0, 940.0, 850.0)
_BLUE: RGB = (0, 90, 181)
_ORANGE: RGB = (220, 110, 20)
_METRES = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0)

Place = Callable[[float, float], tuple[float, float]]


def reliability_picture(curve: Reliability | DepthCurve, *, title: str) -> Image.Image:
    """Draw it.

    Args:
        curve: of any task.
        title: what was measured.
    """
    canvas = Canvas(_WIDTH, _HEIGHT)
    canvas.text((40, 50), shortened(title, 26, _WIDTH - 80), 26, bold=True)
    if isinstance(curve, Reliability):
        _confidence(canvas, curve)
    else:
        _depth(canvas, curve)
    return canvas.finish(_HEIGHT)


def _confidence(canvas: Canvas, curve: Reliability) -> None:
    note = (
        "on the line it is as sure as it is right; below, too sure. Columns: share of all answers"
    )
    canvas.text((40, 84), note, 17, fill=GREY)
    marks = [step / 5 for step in range(6)]
    place = _linear
    _frame(canvas, marks, place, ("confidence", "share that is right"), "{:.1f}")
    for confidence, share in zip(curve.confidence, curve.share, strict=True):
        x, top = place(float(confidence), float(share))
        canvas.rectangle((x - 14, top, x + 14, _BOX[3]), RULE)
    canvas.line([place(0.0, 0.0), place(1.0, 1.0)], GREY, width=2)
    points = [
        place(float(x), float(y)) for x, y in zip(curve.confidence, curve.accuracy, strict=True)
    ]
    canvas.line(points, _BLUE, width=3)
    for point in points:
        canvas.dot(point, 6, _BLUE)


def _depth(canvas: Canvas, curve: DepthCurve) -> None:
    note = "on the line it is right. Line: median of what it says there; bars: 10 % to 90 %"
    canvas.text((40, 84), note, 17, fill=GREY)
    low = float(min(curve.truth_m.min(), curve.answer_m.min())) * 0.9
    high = float(max(curve.truth_m.max(), curve.answer_m.max())) * 1.1
    low = max(low, high / 2000)
    place = _logarithmic(low, high)
    marks = [mark for mark in _METRES if low <= mark <= high]
    _frame(canvas, marks, place, ("true depth, m", "depth that it says, m"), "{:g}")
    canvas.line([place(low, low), place(high, high)], GREY, width=2)
    middles = []
    for truth, (tenth, middle, ninetieth) in zip(curve.truth_m, curve.answer_m, strict=True):
        x = float(truth)
        canvas.line([place(x, float(tenth)), place(x, float(ninetieth))], _ORANGE, width=3)
        middles.append(place(x, float(middle)))
    canvas.line(middles, _BLUE, width=3)
    for point in middles:
        canvas.dot(point, 6, _BLUE)


def _frame(
    canvas: Canvas, marks: Sequence[float], place: Place, names: tuple[str, str], form: str
) -> None:
    left, top, right, bottom = _BOX
    for mark in marks:
        x, y = place(mark, mark)
        canvas.line([(x, top), (x, bottom)], RULE)
        canvas.line([(left, y), (right, y)], RULE)
        canvas.text((x, bottom + 22), form.format(mark), 17, fill=INK, anchor="mm")
        canvas.text((left - 12, y), form.format(mark), 17, fill=INK, anchor="rm")
    canvas.text(((left + right) / 2, bottom + 58), names[0], 19, anchor="mm")
    canvas.text((left - 80, top - 24), names[1], 19)


def _linear(x: float, y: float) -> tuple[float, float]:
    left, top, right, bottom = _BOX
    return left + x * (right - left), bottom - y * (bottom - top)


def _logarithmic(low: float, high: float) -> Place:
    span = np.log(high / low)

    def place(x: float, y: float) -> tuple[float, float]:
        return _linear(*(float(np.log(max(value, low) / low) / span) for value in (x, y)))

    return place
