"""A sheet to draw on, in pixels of the finished picture; drawn twice as large, then reduced.

Lines and letters come out smooth that way. Knows nothing of what is drawn.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from functools import cache
from typing import Literal

from PIL import Image, ImageDraw, ImageFont

from pipeline.drawing.palette import INK, PAPER, RGB, RULE

OVERSAMPLING = 2
_BOLD_STROKE = 0.016  # of the size: pillow's own font has one weight
_HALF_INSIDE = [0] * 128 + [128] * 128  # how much is seen of a tint, by how far it is inside
_HAS = {"\u00b7", "\u2026", "\u00b0"}  # beyond ASCII, what that font can draw

Box = tuple[float, float, float, float]
"""Left, top, right, bottom."""


class Canvas:
    """A white sheet."""

    def __init__(self, width: int, height: int) -> None:
        """Pixels of the finished picture; `finish` may cut the height."""
        size = (width * OVERSAMPLING, height * OVERSAMPLING)
        self._image = Image.new("RGB", size, PAPER)
        self._draw = ImageDraw.Draw(self._image)

    def text(
        self,
        xy: tuple[float, float],
        text: str,
        size: float,
        *,
        fill: RGB = INK,
        anchor: Literal["ls", "ms", "rs", "lm", "mm", "rm"] = "ls",
        bold: bool = False,
    ) -> float:
        """Write a line; where it ends, for an anchor on the left.

        Args:
            xy: where the anchor is: left, middle or right; baseline or middle.
            size: pixels.
        """
        drawn = drawable(text)
        self._draw.text(
            _scaled(xy),
            drawn,
            font=_font(size),
            fill=fill,
            anchor=anchor,
            stroke_width=_BOLD_STROKE * size * OVERSAMPLING if bold else 0,
            stroke_fill=fill,
        )
        return xy[0] + text_width(drawn, size)

    def rectangle(
        self, box: Box, fill: RGB | None = None, *, outline: RGB | None = None, radius: float = 0.0
    ) -> None:
        """A filled box, with round corners if asked; edges included to the pixel."""
        left, top, right, bottom = (value * OVERSAMPLING for value in box)
        inside = (left, top, max(left, right - 1), max(top, bottom - 1))
        width = OVERSAMPLING if outline else 0
        self._draw.rounded_rectangle(
            inside, radius * OVERSAMPLING, fill=fill, outline=outline, width=width
        )

    def line(self, points: Sequence[tuple[float, float]], fill: RGB, *, width: float = 1.0) -> None:
        """A broken line."""
        self._draw.line(
            [_scaled(point) for point in points],
            fill=fill,
            width=max(1, round(width * OVERSAMPLING)),
            joint="curve",
        )

    def dot(self, xy: tuple[float, float], radius: float, fill: RGB) -> None:
        """A filled circle."""
        self._draw.circle(_scaled(xy), radius * OVERSAMPLING, fill=fill)

    def paste(self, image: Image.Image, box: Box, *, smooth: bool = True) -> None:
        """An image, stretched to the box; cells of maps keep their edges where not smooth."""
        left, top, right, bottom = (round(value * OVERSAMPLING) for value in box)
        filter_ = Image.Resampling.LANCZOS if smooth else Image.Resampling.NEAREST
        self._image.paste(image.resize((right - left, bottom - top), filter_), (left, top))

    def tint(self, mask: Image.Image, box: Box, colour: RGB) -> None:
        """A colour over what is there, half as strong.

        Args:
            mask: of mode L, 255 where; stretched to the box, its edges half way between pixels.
            box: of the mask.
        """
        left, top, right, bottom = (round(value * OVERSAMPLING) for value in box)
        size = (right - left, bottom - top)
        smooth = mask.resize(size, Image.Resampling.BILINEAR)
        self._image.paste(colour, (left, top), smooth.point(_HALF_INSIDE))

    def fit(self, image: Image.Image, box: Box) -> None:
        """An image in the middle of a box, as large as it can be there."""
        left, top, right, bottom = box
        self.rectangle(box, fill=RULE)
        share = min((right - left) / image.width, (bottom - top) / image.height)
        width, height = image.width * share, image.height * share
        x, y = (left + right - width) / 2, (top + bottom - height) / 2
        self.paste(image, (x, y, x + width, y + height))

    def finish(self, height: int) -> Image.Image:
        """The picture, cut to its height."""
        cut = self._image.crop((0, 0, self._image.width, height * OVERSAMPLING))
        return cut.reduce(OVERSAMPLING)


def text_width(text: str, size: float) -> float:
    """Width of a line, pixels."""
    return _font(size).getlength(drawable(text)) / OVERSAMPLING


def shortened(text: str, size: float, width: float) -> str:
    """The text, with its end cut off where it is wider than so many pixels."""
    if text_width(text, size) <= width:
        return text
    while text and text_width(f"{text}\u2026", size) > width:
        text = text[:-1]
    return f"{text}\u2026"


def drawable(text: str) -> str:
    """The text without accents, and with `?` for letters that the font lacks."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return "".join(c if c in _HAS or " " <= c <= "~" else "?" for c in plain)


@cache
def _font(size: float) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size * OVERSAMPLING)


def _scaled(xy: tuple[float, float]) -> tuple[float, float]:
    return xy[0] * OVERSAMPLING, xy[1] * OVERSAMPLING
