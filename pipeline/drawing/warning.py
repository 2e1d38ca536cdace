"""The sign of pictures whose values are not to be believed: what it says, and how it looks."""

from __future__ import annotations

from pipeline.drawing.canvas import Canvas, text_width
from pipeline.drawing.palette import WARNING, WARNING_PAPER

UNTRAINED = "UNTRAINED WEIGHTS: shapes are real, values mean nothing"
OUT_OF_DOMAIN = "TRAINED ON RENDERED SCENES ALONE: values are wrong here"

_SIZE, _HEIGHT, _PAD = 18, 38, 18


def warning_text(*, untrained: bool, out_of_domain: bool) -> str:
    """What it says of records that say so of themselves; "" where nothing has to be said."""
    if untrained:
        return UNTRAINED
    return OUT_OF_DOMAIN if out_of_domain else ""


def warning_sign(canvas: Canvas, text: str, right: float, top: float) -> None:
    """Draw it so that it ends there.

    Args:
        text: of `warning_text`.
        right, top: of its box.
    """
    left = right - text_width(text, _SIZE) - 2 * _PAD
    canvas.rectangle((left, top, right, top + _HEIGHT), WARNING_PAPER, outline=WARNING, radius=8)
    middle = ((left + right) / 2, top + _HEIGHT / 2)
    canvas.text(middle, text, _SIZE, fill=WARNING, anchor="mm", bold=True)
