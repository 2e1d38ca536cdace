"""What of a frame counts: numbers that say where structure lies, how fine it is and how light."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from operators.tamper.sight import BLOCK, GRID, look

Picture = NDArray[np.uint8]


@pytest.mark.parametrize(
    ("size_hw", "side"),
    [((168, 224), GRID), ((224, 392), GRID), ((28, 42), 24), ((14, 14), 12), ((8, 70), BLOCK)],
)
def test_slopes_are_found_in_pictures_of_all_sizes(size_hw: tuple[int, int], side: int) -> None:
    across = np.arange(size_hw[1]) * 200 // size_hw[1]
    ramp = np.broadcast_to(across[:, None], (*size_hw, 3)).astype(np.uint8)
    slopes, tones, mark = look(ramp)
    assert (slopes.shape, slopes.dtype) == ((2, side, side), np.float32)
    steep = slopes[0, :, 1:-1]
    assert steep.min() > 0
    assert steep.mean() == pytest.approx(2 * 200 / side, rel=0.1)
    assert not slopes[1].any()
    assert (tones.shape, mark.shape) == ((3,), (8,))
    turned, *_ = look(np.ascontiguousarray(np.moveaxis(ramp, 0, 1)))
    assert not turned[0].any()


def test_slopes_follow_from_whole_numbers_in_any_part_of_a_batch(wall: Picture) -> None:
    flipped = wall[:, ::-1]
    assert not flipped.flags.c_contiguous
    for one, other in zip(look(flipped), look(flipped.copy()), strict=True):
        assert np.array_equal(one, other)


def test_more_light_makes_slopes_steeper_and_moves_none(wall: Picture) -> None:
    (slopes, *_), (dimmed, *_) = look(wall), look((wall * 0.5).astype(np.uint8))
    assert np.corrcoef(slopes.ravel(), dimmed.ravel())[0, 1] > 0.999
    assert np.abs(dimmed).mean() == pytest.approx(np.abs(slopes).mean() / 2, rel=0.02)


def test_black_and_white_pixels_are_counted() -> None:
    picture = np.full((40, 40, 3), 128, np.uint8)
    picture[:10], picture[10:30] = 15, 241
    _, (_, dark, bright), _ = look(picture)
    assert (dark, bright) == (0.25, 0.5)
    picture[:10], picture[10:30] = 16, 240
    _, (_, dark, bright), _ = look(picture)
    assert (dark, bright) == (0, 0)


def test_every_pixel_counts_for_the_mark(wall: Picture) -> None:
    other = wall.copy()
    other[-1, -1, -1] ^= 1
    marks = [look(one)[2].tobytes() for one in (wall, wall.copy(), other)]
    assert marks[0] == marks[1] != marks[2]
