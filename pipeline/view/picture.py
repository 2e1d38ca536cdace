"""A frame's pixels -> the JPEG of what its record is of."""

from __future__ import annotations

from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pipeline.media.region import Box

Pixels = NDArray[np.uint8]
QUALITY = 85


def jpeg(
    pixels: Pixels, source_hw: tuple[int, int], *, side: int, region: Box | None = None
) -> bytes:
    """
    Args:
        pixels: RGB uint8 `[H, W, 3]`, the whole picture in any size.
        source_hw: height and width of that picture as displayed, pixels.
        side: the JPEG's short side, at most; it is no larger than the source's either.
        region: the part of the source that is shown; None: all.

    Raises:
        ValueError: the source has no such part.
    """
    shown_hw = source_hw
    if region is not None:
        left, top, right, bottom = region
        if not (0 <= left < right <= source_hw[1] and 0 <= top < bottom <= source_hw[0]):
            raise ValueError(f"region {region} lies outside of {source_hw[1]}x{source_hw[0]}")
        shown_hw = (bottom - top, right - left)
        y, x = (there / here for there, here in zip(pixels.shape[:2], source_hw, strict=True))
        pixels = pixels[
            round(top * y) : max(round(bottom * y), round(top * y) + 1),
            round(left * x) : max(round(right * x), round(left * x) + 1),
        ]
    image = Image.fromarray(pixels)
    share = min(side, *shown_hw) / min(image.size)
    if share < 1:
        width, height = (max(1, round(length * share)) for length in image.size)
        image = image.resize((width, height), Image.Resampling.LANCZOS)
    file = BytesIO()
    image.save(file, "JPEG", quality=QUALITY)
    return file.getvalue()
