"""Precision and recall of every threshold, and the one that was chosen, as a picture."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image

from pipeline.dedupe.calibration import Calibration
from pipeline.drawing.canvas import Canvas, shortened
from pipeline.drawing.palette import ACCENT, GREY, RGB, RULE

WIDTH, HEIGHT = 1000, 620
BOX = (90.0, 130.0, 960.0, 540.0)
_ORANGE: RGB = (220, 110, 20)
_TICKS = 5  # of shares, and twice as many of cosines


def curve_picture(found: Calibration) -> Image.Image:
    """Draw it: cosines from left to right, shares upwards."""
    canvas = Canvas(WIDTH, HEIGHT)
    how = "as they are" if found.comparison == "raw" else found.comparison
    title = f"copies found by a cosine: {found.model}, vectors {how}"
    canvas.text((40, 48), shortened(title, 24, WIDTH - 80), 24, bold=True)
    end = canvas.text((40, 84), "precision of the pairs that are found", 18, fill=ACCENT, bold=True)
    end = canvas.text((end + 30, 84), "recall of copies", 18, fill=_ORANGE, bold=True)
    chosen = f"chosen: {found.point.threshold:.2f}, recall {found.point.recall:.3f}"
    canvas.text((end + 30, 84), chosen, 18, fill=GREY)
    _frame(canvas)
    top, bottom = _place(found.point.threshold, 1.0), _place(found.point.threshold, 0.0)
    canvas.line([top, bottom], GREY, width=2)
    cosines = [one.threshold for one in found.points]
    _curve(canvas, cosines, [one.precision for one in found.points], ACCENT)
    _curve(canvas, cosines, [one.recall for one in found.points], _ORANGE)
    for share, colour in ((found.point.precision, ACCENT), (found.point.recall, _ORANGE)):
        canvas.dot(_place(found.point.threshold, share), 6, colour)
    return canvas.finish(HEIGHT)


def _frame(canvas: Canvas) -> None:
    left, top, right, bottom = BOX
    for tick in range(_TICKS + 1):
        share = tick / _TICKS
        _, y = _place(0.0, share)
        canvas.line([(left, y), (right, y)], RULE)
        canvas.text((left - 12, y), f"{share:.1f}", 16, anchor="rm")
    for tick in range(-_TICKS, _TICKS + 1):
        x, _ = _place(tick / _TICKS, 0.0)
        canvas.line([(x, top), (x, bottom)], RULE)
        canvas.text((x, bottom + 22), f"{tick / _TICKS:.1f}", 16, anchor="mm")
    canvas.text(((left + right) / 2, bottom + 52), "cosine from which two are one", 18, anchor="mm")


def _curve(canvas: Canvas, cosines: Sequence[float], shares: Sequence[float], colour: RGB) -> None:
    points = [_place(cosine, share) for cosine, share in zip(cosines, shares, strict=True)]
    canvas.line(points, colour, width=3)


def _place(cosine: float, share: float) -> tuple[float, float]:
    left, top, right, bottom = BOX
    return left + (cosine + 1) / 2 * (right - left), bottom - share * (bottom - top)
