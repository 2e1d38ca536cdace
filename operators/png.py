"""Maps as PNG files that any viewer and any language opens.

Numbers in -> bytes out, the same bytes every time. Must not know what the numbers mean. Written
here (W3C PNG, third edition) because it is most of what a record costs: a filter that is the same
for every row, chosen on depth and class maps of footage, takes a third of what Pillow takes to try
all five, and gives smaller files.
"""

from __future__ import annotations

import functools
import hashlib
import struct
import zlib
from collections.abc import Sequence
from itertools import chain

import numpy as np
from numpy.typing import NDArray

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_GREY, _RGB, _PALETTE = 0, 2, 3  # colour types
_AS_IT_IS, _LESS_LEFT = 0, 1  # filters: a byte, or its difference to that of the pixel before
_LEVEL = 3  # 6 is 2 % smaller and takes 1.2 times as long (depth maps of footage, 2026-11-30)
_HEX = 12


def grey16_png(values: NDArray[np.uint16]) -> bytes:
    """A 16-bit grey PNG.

    Args:
        values: uint16 `[H, W]`.

    Raises:
        ValueError: another dtype or shape.
    """
    _check(values, np.dtype(np.uint16))
    samples = np.ascontiguousarray(values, dtype=">u2").view(np.uint8).reshape(len(values), -1, 2)
    return _encoded(samples, _GREY, 16)


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
    colours = bytes(chain.from_iterable(palette))
    return _encoded(ids[..., None], _PALETTE, 8, _chunk(b"PLTE", colours))


def rgb_png(pixels: NDArray[np.uint8]) -> bytes:
    """An 8-bit RGB PNG.

    Args:
        pixels: uint8 `[H, W, 3]`.

    Raises:
        ValueError: another dtype or shape.
    """
    if pixels.dtype != np.uint8 or pixels.shape[2:] != (3,) or not pixels.size:
        raise ValueError(f"want uint8 [H, W, 3], got {pixels.dtype} {list(pixels.shape)}")
    return _encoded(pixels, _RGB, 8)


@functools.cache
def png_identity() -> str:
    """12 hex that stand for how pictures are compressed here.

    Where another zlib finds other matches, equal numbers are other bytes. Told by the bytes
    themselves, so that versions which do the same are the same.
    """
    draw = np.random.Generator(np.random.PCG64(0))
    down, across = np.mgrid[:96, :128]
    hills = 3000 + 40 * down + 9 * across + 500 * ((down // 24 + across // 32) % 2)
    noisy = (hills + draw.integers(0, 12, hills.shape)).astype(np.uint16)
    classes = ((down * down + across * across) // 1500 % 11).astype(np.uint8)
    coloured = (noisy[..., None] // (1, 3, 5)).astype(np.uint8)
    told = grey16_png(noisy) + palette_png(classes, [(0, 0, 0)] * 11) + rgb_png(coloured)
    return hashlib.sha256(told).hexdigest()[:_HEX]


def _check(values: NDArray[np.generic], dtype: np.dtype[np.generic]) -> None:
    if values.dtype != dtype or values.ndim != 2 or not values.size:
        raise ValueError(f"want {dtype} [H, W], got {values.dtype} {list(values.shape)}")


def _encoded(
    samples: NDArray[np.uint8], colour_type: int, bit_depth: int, palette: bytes = b""
) -> bytes:
    """Bytes of pixels, `[H, W, bytes]`, as a file."""
    height, width, step = samples.shape
    rows = np.empty((height, 1 + width * step), dtype=np.uint8)
    filtered = rows[:, 1:].reshape(height, width, step)
    if colour_type == _PALETTE:  # ids next to each other are equal or have nothing in common
        rows[:, 0], filtered[:] = _AS_IT_IS, samples
    else:
        rows[:, 0], filtered[:, 0] = _LESS_LEFT, samples[:, 0]
        np.subtract(samples[:, 1:], samples[:, :-1], out=filtered[:, 1:])
    header = struct.pack(">IIBBBBB", width, height, bit_depth, colour_type, 0, 0, 0)
    data = zlib.compress(rows.tobytes(), _LEVEL)
    return b"".join(
        (_SIGNATURE, _chunk(b"IHDR", header), palette, _chunk(b"IDAT", data), _chunk(b"IEND", b""))
    )


def _chunk(kind: bytes, data: bytes) -> bytes:
    checksum = zlib.crc32(data, zlib.crc32(kind))
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", checksum)
