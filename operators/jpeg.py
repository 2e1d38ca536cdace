"""Small pictures as JPEG files that anything opens.

Pixels in -> bytes out, the same bytes for as long as `jpeg_identity` is the same.
"""

from __future__ import annotations

import functools
import hashlib
import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

BEST = 95  # of the qualities; those above cost bytes and show nothing more

_FILTER = Image.Resampling.BICUBIC
_HEX = 12


def jpeg(pixels: NDArray[np.uint8], size_hw: tuple[int, int], quality: int) -> bytes:
    """A JPEG of a picture.

    Args:
        pixels: uint8 RGB `[H, W, 3]`.
        size_hw: rows and columns of the JPEG, which it is scaled to.
        quality: 1 to `BEST`.

    Raises:
        ValueError: another dtype or shape.
    """
    if pixels.dtype != np.uint8 or pixels.shape[2:] != (3,) or not pixels.size:
        raise ValueError(f"want uint8 [H, W, 3], got {pixels.dtype} {list(pixels.shape)}")
    image = Image.fromarray(pixels)
    height, width = size_hw
    if image.size != (width, height):
        image = image.resize((width, height), _FILTER)
    data = io.BytesIO()
    image.save(data, "JPEG", quality=quality)
    return data.getvalue()


@functools.cache
def jpeg_identity() -> str:
    """12 hex that stand for how pictures are scaled and compressed here.

    Another Pillow or libjpeg may make other bytes of equal pixels. Told by the bytes themselves,
    so that versions which do the same are the same.
    """
    draw = np.random.Generator(np.random.PCG64(0))
    down, across = np.mgrid[:112, :196]
    waves = 128 + 90 * np.sin(across / (3 + down / 8)) + draw.integers(-9, 10, down.shape)
    edges = 120 * ((down // 24 + across // 32) % 2)
    probe = np.stack([waves, edges + 60, (waves + edges) / 2], axis=-1)
    pixels = probe.clip(0, 255).astype(np.uint8)
    sizes, qualities = ((112, 196), (90, 160)), (1, 25, 50, 75, BEST)
    told = [jpeg(pixels, size, quality) for size in sizes for quality in qualities]
    return hashlib.sha256(b"".join(told)).hexdigest()[:_HEX]
