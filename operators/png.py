"""Maps as PNG files that any viewer and any language opens.

Numbers in -> bytes out, the same bytes every time. Must not know what the numbers mean.
"""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

# Level 6 is 1-8 % smaller and takes up to 2.7 times as long (64x64 and 128x128 maps, 2026-11-22).
_COMPRESS_LEVEL = 3
_MORE_THAN_4_BITS = 17  # colours; pillow packs fewer into 1, 2 or 4 bits per pixel


def grey16_png(values: NDArray[np.uint16]) -> bytes:
    """A 16-bit grey PNG.

    Args:
        values: uint16 `[H, W]`.

    Raises:
        ValueError: another dtype or shape.
    """
    _check(values, np.dtype(np.uint16))
    return _encoded(Image.fromarray(values))


def palette_png(ids: NDArray[np.uint8], palette: Sequence[Sequence[int]]) -> bytes:
    """An 8-bit palette PNG: the pixels are ids, the palette colours them.

    Args:
        ids: uint8 `[H, W]`, each below the palette's length.
        palette: (red, green, blue) per id, at most 256.

    Raises:
        ValueError: another dtype or shape, or an id without a colour.
    """
    _check(ids, np.dtype(np.uint8))
    if not 0 < len(palette) <= 256 or ids.max() >= len(palette):
        raise ValueError(f"id {ids.max()} has no colour among {len(palette)}; 1 to 256 are allowed")
    filled = [*palette, *[(0, 0, 0)] * (_MORE_THAN_4_BITS - len(palette))]
    image = Image.fromarray(ids)
    image.putpalette([channel for colour in filled for channel in colour])
    return _encoded(image)


def rgb_png(pixels: NDArray[np.uint8]) -> bytes:
    """An 8-bit RGB PNG.

    Args:
        pixels: uint8 `[H, W, 3]`.

    Raises:
        ValueError: another dtype or shape.
    """
    if pixels.dtype != np.uint8 or pixels.shape[2:] != (3,) or not pixels.size:
        raise ValueError(f"want uint8 [H, W, 3], got {pixels.dtype} {list(pixels.shape)}")
    return _encoded(Image.fromarray(pixels))


def _check(values: NDArray[np.generic], dtype: np.dtype[np.generic]) -> None:
    if values.dtype != dtype or values.ndim != 2 or not values.size:
        raise ValueError(f"want {dtype} [H, W], got {values.dtype} {list(values.shape)}")


def _encoded(image: Image.Image) -> bytes:
    buffer = BytesIO()
    image.save(buffer, format="PNG", compress_level=_COMPRESS_LEVEL)
    return buffer.getvalue()
