"""Frames drawn from a seed, for measuring a backbone where no footage is at hand.

Numbers in -> uint8 frames out, the same for the same seed. Clouds of every scale under flat boxes:
what a patch of footage shows, smooth or rough, dark or bright, with and without an edge.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Picture = npt.NDArray[np.float64]


def drawn_frames(seed: int, count: int, side: int) -> npt.NDArray[np.uint8]:
    """Draw some.

    Args:
        seed: other seeds give other frames.
        count: F, how many.
        side: height and width in pixels.

    Returns:
        uint8 RGB `[F, side, side, 3]`.
    """
    draw = np.random.Generator(np.random.PCG64(seed))
    return np.stack([_frame(draw, side) for _ in range(count)])


def _frame(draw: np.random.Generator, side: int) -> npt.NDArray[np.uint8]:
    down, across = draw.uniform(-1, 1, (2, 3))
    place = np.arange(side)[:, None] / side
    picture = (place * down)[:, None] + (place * across)[None]
    picture += draw.uniform(0.1, 0.8) * _clouds(draw, side)
    _add_boxes(draw, picture)
    even = (picture - picture.mean()) / picture.std()
    lit = even * draw.uniform(20, 70) + draw.uniform(70, 180)
    pixels: npt.NDArray[np.uint8] = np.clip(lit, 0, 255).astype(np.uint8)
    return pixels


def _clouds(draw: np.random.Generator, side: int) -> Picture:
    """Noise of all scales, each weaker than the next coarser one; mostly grey."""
    clouds = np.zeros((side, side, 3))
    cells, strength = 2, 1.0
    while cells < side:
        grey, tint = (draw.standard_normal((cells + 1, cells + 1, n)) for n in (1, 3))
        clouds += strength * _stretched(grey + 0.5 * tint, side)
        cells, strength = cells * 2, strength * draw.uniform(0.4, 0.9)
    return clouds


def _stretched(knots: Picture, side: int) -> Picture:
    """`[n + 1, n + 1, 3]` -> `[side, side, 3]`, linear between knots."""
    place = np.arange(side) * (len(knots) - 1) / side
    before = place.astype(int)
    part = (place - before)[:, None, None]
    rows = knots[before] * (1 - part) + knots[before + 1] * part
    columns = rows.swapaxes(0, 1)
    whole: Picture = columns[before] * (1 - part) + columns[before + 1] * part
    return whole.swapaxes(0, 1)


def _add_boxes(draw: np.random.Generator, picture: Picture) -> None:
    side = len(picture)
    for _ in range(draw.integers(2, 12)):
        top, left = draw.integers(0, side, 2)
        height, width = draw.integers(side // 16, side // 2, 2)
        box = picture[top : top + height, left : left + width]
        box *= draw.uniform(0, 0.7)
        box += draw.standard_normal(3)
