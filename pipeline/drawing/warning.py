"""The sign that pictures of untrained weights bear."""

from __future__ import annotations

from pipeline.drawing.canvas import Canvas, text_width
from pipeline.drawing.palette import WARNING, WARNING_PAPER

WARNING_TEXT = "UNTRAINED WEIGHTS: shapes are real, values mean nothing"

_SIZE, _HEIGHT, _PAD = 18, 38, 18


def warning_sign(canvas: Canvas, right: float, top: float) -> None:
    """Draw it so that it ends there.

    Args:
        right, top: of its box.
    """
    left = right - text_width(WARNING_TEXT, _SIZE) - 2 * _PAD
    canvas.rectangle((left, top, right, top + _HEIGHT), WARNING_PAPER, outline=WARNING, radius=8)
    middle = ((left + right) / 2, top + _HEIGHT / 2)
    canvas.text(middle, WARNING_TEXT, _SIZE, fill=WARNING, anchor="mm", bold=True)
