"""What of one frame counts for its view: where its structure lies, how fine it is, how light.

Pixels in -> a few numbers out. Whole numbers until the last division, so that every machine finds
the same. Must not know other frames.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

GRID = 36  # cells per side that structure is looked for in; fewer where the picture has less pixels
BLOCK = 6  # cells per side of a block, which is compared as a whole
BLACK, WHITE = 16, 240  # luma below and above which a pixel says nothing
MARK_BYTES = 8

Numbers = NDArray[np.float32]
_RED, _GREEN, _BLUE = 77, 150, 29  # 256ths of luma (BT.601)


@dataclass(frozen=True, slots=True)
class Sight:
    """Of one frame.

    Attributes:
        slopes: float32 `[2, S, S]`, grey levels: how light changes from cell to cell, across and
            down. S is a multiple of `BLOCK`.
        fine: mean bend of luma from pixel to pixel, grey levels: what a lens out of focus loses.
        dark, bright: share of pixels below `BLACK` and above `WHITE`.
        seams: float32 `[K]`: likeness of neighbouring patches (`operators.tamper.seams`).
        mark: stands for all pixels: equal for equal pictures.
    """

    slopes: Numbers
    fine: float
    dark: float
    bright: float
    seams: Numbers
    mark: bytes


def look(pixels: NDArray[np.uint8]) -> tuple[Numbers, Numbers, NDArray[np.uint8]]:
    """A frame's numbers, as they travel from `compute` to `say`.

    Args:
        pixels: uint8 RGB `[H, W, 3]`, sides of at least `BLOCK`.

    Returns:
        slopes `[2, S, S]`; fine, dark and bright `[3]`; mark, uint8 `[MARK_BYTES]`.
    """
    weighted = pixels.astype(np.uint16)
    sums = _RED * weighted[..., 0] + _GREEN * weighted[..., 1] + _BLUE * weighted[..., 2]
    light = (sums >> 8).astype(np.uint8)
    level = light.astype(np.int16)
    bends = [
        np.abs(2 * level[:, 1:-1] - level[:, :-2] - level[:, 2:]).mean(),
        np.abs(2 * level[1:-1] - level[:-2] - level[2:]).mean(),
    ]
    tones = [sum(bends) / 2, (light < BLACK).mean(), (light > WHITE).mean()]
    mark = hashlib.sha256(pixels.tobytes()).digest()[:MARK_BYTES]  # the quickest on most CPUs
    return _slopes(light), np.array(tones, np.float32), np.frombuffer(mark, np.uint8)


def _slopes(light: NDArray[np.uint8]) -> Numbers:
    """float32 `[2, S, S]`; 0 at the rim, where a neighbour is missing."""
    side = max(1, min(GRID, *light.shape) // BLOCK) * BLOCK
    cells = _means(light, side)
    slopes = np.zeros((2, side, side), np.float32)
    slopes[0, :, 1:-1] = cells[:, 2:] - cells[:, :-2]
    slopes[1, 1:-1] = cells[2:] - cells[:-2]
    return slopes


def _means(light: NDArray[np.uint8], side: int) -> NDArray[np.float64]:
    """Mean luma of `[side, side]` cells, which share the pixels out as evenly as they can."""
    rows, columns = (np.arange(side) * length // side for length in light.shape)
    sums = np.add.reduceat(light, rows, axis=0, dtype=np.int32)
    sums = np.add.reduceat(sums, columns, axis=1)
    heights, widths = (
        np.diff(np.append(starts, length))
        for starts, length in zip((rows, columns), light.shape, strict=True)
    )
    means: NDArray[np.float64] = sums / np.outer(heights, widths)
    return means
