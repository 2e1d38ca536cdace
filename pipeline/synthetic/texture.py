"""A picture on a surface, filtered for any distance: colours in, colours at (u, v) out.

Mip levels against flicker, bilinear inside a level. A texel packs R, G and B into 16-bit lanes of
one uint64, so that one gather and one multiplication serve all three: 255 * 16 * 16 still fits a
lane. Colours are display values (square root of linear light).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .rays import FloatArray

_STEPS_LOG2 = 4
_LEAST_SIDE = 4


class Texture:
    """A mip-mapped RGB picture whose sides are powers of two."""

    __slots__ = ("_flat", "_heights", "_offsets", "_widths")

    def __init__(self, rgb: FloatArray) -> None:
        """Build the levels.

        Args:
            rgb: float32 [H, W, 3] display values 0..1; H and W powers of two, 4 or more.
        """
        levels = [rgb]
        while min(levels[-1].shape[:2]) > _LEAST_SIDE:
            levels.append(_halved(levels[-1]))
        packed = [_packed(level) for level in levels]
        # Neighbours of the last row and column are fetched with weight 0: they only have to exist.
        packed.append(np.zeros(rgb.shape[1] + 1, np.uint64))
        self._flat: NDArray[np.uint64] = np.concatenate(packed)
        sizes = [part.size for part in packed[:-1]]
        self._offsets = np.array([sum(sizes[:k]) for k in range(len(sizes))], np.intp)
        self._heights = np.array([level.shape[0] for level in levels], np.float32)
        self._widths = np.array([level.shape[1] for level in levels], np.float32)

    @property
    def size_hw(self) -> tuple[int, int]:
        """Height and width of the finest level in texels."""
        return int(self._heights[0]), int(self._widths[0])

    def sample(self, u: FloatArray, v: FloatArray, texels_per_pixel_sq: FloatArray) -> FloatArray:
        """Return the colours at positions.

        Args:
            u: float32 [N], 0..1 from the left edge to the right one; clamped.
            v: float32 [N], 0..1 from the top edge to the bottom one; clamped.
            texels_per_pixel_sq: float32 [N], how many finest texels a pixel covers.

        Returns:
            float32 [3, N], display values 0..255.
        """
        exponent = np.frexp(texels_per_pixel_sq)[1]
        level = np.minimum(np.maximum(exponent >> 1, 0), len(self._offsets) - 1).astype(np.intp)
        width = self._widths.take(level)
        x, x_part = _split(u * width, width)
        y, y_part = _split(v * (height := self._heights.take(level)), height)
        row = width.astype(np.intp)
        at = self._offsets.take(level) + y * row + x
        top = _blend(self._flat.take(at), self._flat.take(at + 1), x_part)
        at += row
        bottom = _blend(self._flat.take(at), self._flat.take(at + 1), x_part)
        mixed = _blend(top, bottom, y_part).astype("<u8", copy=False)
        lanes = mixed.view("<u2").reshape(-1, 4)
        colours = np.empty((3, u.size), np.float32)
        for channel in range(3):
            np.multiply(lanes[:, channel], np.float32(1 / 256), out=colours[channel])
        return colours


def _split(position: FloatArray, size: FloatArray) -> tuple[NDArray[np.intp], NDArray[np.uint64]]:
    """Whole texel and the sixteenths towards the next one; texel centres lie at .5."""
    inside = np.minimum(np.maximum(position - 0.5, 0.0), size - 1.0)
    steps = (inside * (1 << _STEPS_LOG2)).astype(np.intp)
    part = (steps & ((1 << _STEPS_LOG2) - 1)).view(np.uint64)
    return steps >> _STEPS_LOG2, part


def _blend(
    a: NDArray[np.uint64], b: NDArray[np.uint64], part: NDArray[np.uint64]
) -> NDArray[np.uint64]:
    # Lanes of b - a may borrow from each other; the sum modulo 2**64 gives it back exactly.
    return (a << np.uint64(_STEPS_LOG2)) + (b - a) * part


def _halved(rgb: FloatArray) -> FloatArray:
    columns = rgb[:, 0::2] + rgb[:, 1::2]
    return (columns[0::2] + columns[1::2]) * np.float32(0.25)


def _packed(rgb: FloatArray) -> NDArray[np.uint64]:
    levels = (np.clip(rgb, 0.0, 1.0) * 255.0 + 0.5).astype(np.int32)  # vectorised, unlike uint64
    r, g, b = (levels[..., channel] for channel in range(3))
    lanes: NDArray[np.uint64] = (r | g << 16).astype(np.uint64)
    lanes |= b.astype(np.uint64) << np.uint64(32)
    return lanes.ravel()
