"""Decoded frames -> RGB at the model's size, in one step.

One swscale context is kept per stream; making it anew for every frame costs 1.2 ms at 1080p
(2 cores, 2026-11). Colour matrix and range follow the frame's tags.
"""

from __future__ import annotations

import numpy as np
from av.video.reformatter import Colorspace, Interpolation, VideoReformatter
from numpy.typing import NDArray

from operators.backbones.architectures import PATCH
from pipeline.media.picture import Picture

# Without full chroma, swscale's tables are up to 3 levels off and the class token's cosine against
# exact RGB is 0.995 instead of 0.9999 (16 frames of 8 clips); it costs 0.3 ms of 1.8.
FILTER = (
    Interpolation.BICUBIC
    | Interpolation.FULL_CHR_H_INT
    | Interpolation.ACCURATE_RND
    | Interpolation.BITEXACT
)
FILTER_NAME = "swscale-bicubic-fullchroma"  # part of the preprocessing's identity
LONGEST = 8  # a frame's long side is at most so many short sides; narrower strips are squeezed
HD_HEIGHT = 720  # untagged pictures from here on are BT.709, smaller ones BT.601

# ITU-T H.273 matrix coefficients -> swscale's coefficient tables
_MATRIX = {
    1: Colorspace.ITU709,
    4: Colorspace.FCC,
    5: Colorspace.ITU601,
    6: Colorspace.ITU601,
    7: Colorspace.SMPTE240M,
    9: Colorspace.BT2020,
    10: Colorspace.BT2020,
}
_UNSPECIFIED = 2


def model_size(source_hw: tuple[int, int], short_side: int) -> tuple[int, int]:
    """Height and width for the model: the short side as asked, aspect kept, multiples of 14.

    Args:
        source_hw: as displayed, pixels.
        short_side: pixels.
    """
    short = min(source_hw)
    height, width = (
        min(_patches(side * short_side / short), LONGEST * _patches(short_side)) * PATCH
        for side in source_hw
    )
    return height, width


class Scaler:
    """Scales the pictures of one stream."""

    def __init__(self, short_side: int) -> None:
        """`short_side`: pixels, before rounding to a multiple of 14."""
        self._short_side = short_side
        self._reformatter = VideoReformatter()

    def __call__(self, picture: Picture) -> NDArray[np.uint8]:
        """RGB uint8 `[H, W, 3]` as displayed, H and W multiples of 14."""
        height, width = model_size(picture.source_hw, self._short_side)
        turned = picture.orientation.transposed
        frame = self._reformatter.reformat(
            picture.frame,
            width=height if turned else width,
            height=width if turned else height,
            format="rgb24",
            src_colorspace=_matrix(picture),
            interpolation=FILTER,
            threads=1,
        )
        pixels: NDArray[np.uint8] = frame.to_ndarray()  # type: ignore[assignment]
        return picture.orientation.apply(pixels)


def _matrix(picture: Picture) -> int | None:
    frame = picture.frame
    if frame.format.is_rgb:
        return None
    if frame.colorspace == _UNSPECIFIED:
        return Colorspace.ITU709 if min(picture.source_hw) >= HD_HEIGHT else Colorspace.ITU601
    return _MATRIX.get(frame.colorspace)


def _patches(pixels: float) -> int:
    return max(1, int(pixels / PATCH + 0.5))
