"""A thing in a picture: its box, and words on the box's upper edge."""

from __future__ import annotations

from pipeline.drawing.canvas import Box, Canvas, text_width
from pipeline.drawing.palette import CLASS_COLOURS, INK, PAPER, RGB

_PAD = 4.0  # beside words, pixels


def tagged_box(
    canvas: Canvas, box: Box, words: str, colour: RGB, *, within: Box, size: float = 14.0
) -> None:
    """Draw both.

    Args:
        box: left, top, right, bottom, pixels of the canvas; what is outside `within` is cut off.
        words: on its upper edge, or below it where there is no room above.
        colour: of the box and behind the words.
        within: the picture that it is in.
        size: of the words, pixels.
    """
    left, right = (min(max(x, within[0]), within[2]) for x in (box[0], box[2]))
    top, bottom = (min(max(y, within[1]), within[3]) for y in (box[1], box[3]))
    corners = [(left, top), (right, top), (right, bottom), (left, bottom), (left, top)]
    canvas.line(corners, colour, width=2.5)
    width, height = text_width(words, size) + 2 * _PAD, size + _PAD
    left = max(within[0], min(left, within[2] - width))
    top = max(within[1], top - height)
    canvas.rectangle((left, top, left + width, top + height), colour)
    ink = INK if sum(colour) > 3 * 128 else PAPER
    canvas.text((left + _PAD, top + height / 2), words, size, fill=ink, anchor="lm")


def number_colour(number: int) -> RGB:
    """Of whatever has a number: a label, or a track."""
    return CLASS_COLOURS[number % len(CLASS_COLOURS)]
