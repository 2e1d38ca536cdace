"""What a camera usually shows, and how unlike it a frame is."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from operators.result import canonical_json
from operators.tamper.sight import Sight, look
from operators.tamper.usual import STEPS, Usual

Picture = NDArray[np.uint8]
Noisy = Callable[..., Picture]

SECOND = 1_000_000


def sight(picture: Picture, layout: int = 1) -> Sight:
    slopes, (fine, dark, bright), mark = look(picture)
    seams = np.random.default_rng(layout).random(40, dtype=np.float32)
    return Sight(slopes, float(fine), float(dark), float(bright), seams, mark.tobytes())


def shown(usual: Usual, seen: Sight, second: int) -> None:
    usual.learn(seen, second * SECOND)
    usual.mark = seen.mark


@pytest.fixture
def usual(noisy: Noisy) -> Usual:
    """Of twenty frames of the wall, one a second."""
    made = Usual()
    for number in range(20):
        shown(made, sight(noisy(number)), number)
    return made


def blurred(picture: Picture, radius: float) -> Picture:
    return np.asarray(Image.fromarray(picture).filter(ImageFilter.GaussianBlur(radius)))


def test_what_is_as_always_shows_no_sign(usual: Usual, noisy: Noisy) -> None:
    signs = usual.signs(sight(noisy(99)))
    assert signs.changed < 0.05
    assert signs.soft < 0.05
    assert signs.layout < 0.01
    assert (signs.flat, signs.dark, signs.bright, signs.still) == (0, 0, 0, False)


def test_another_view_another_layout(usual: Usual, noisy: Noisy, wall: Picture) -> None:
    moved = np.roll(wall, 30, axis=1)
    signs = usual.signs(sight(noisy(99, moved), layout=2))
    assert signs.changed > 0.9
    assert signs.flat == 0
    assert signs.layout > 0.7


@pytest.mark.parametrize("gain", [0.4, 1.15])
def test_light_changes_nothing_but_light(
    usual: Usual, noisy: Noisy, wall: Picture, gain: float
) -> None:
    lit = noisy(99, (wall * gain).clip(0, 255).astype(np.uint8))
    signs = usual.signs(sight(lit))
    assert max(signs.changed, signs.flat) < 0.1
    assert signs.soft < 0.2  # noise does not grow with light


def test_swaying_by_a_cell_is_no_change(usual: Usual, noisy: Noisy, wall: Picture) -> None:
    swayed = np.roll(wall, (4, -5), axis=(0, 1))
    assert usual.signs(sight(noisy(99, swayed))).changed < 0.3


def test_a_sheet_is_flat_whatever_its_noise(usual: Usual, noisy: Noisy, wall: Picture) -> None:
    signs = usual.signs(sight(noisy(99, np.full_like(wall, 70))))
    assert (signs.changed, signs.flat) == (1, 1)


def test_blur_is_soft_where_noise_is_less_than_what_it_takes(wall: Picture) -> None:
    sharp = np.random.default_rng(1).integers(0, 40, wall.shape) + wall * 0.8
    fine = sharp.clip(0, 255).astype(np.uint8)
    usual = Usual()
    for second in range(3):
        shown(usual, sight(fine), second)
    signs = usual.signs(sight(blurred(fine, 2)))
    assert signs.soft > 0.6
    assert signs.changed < 0.2


def test_pixels_that_are_usually_black_are_no_sign(wall: Picture) -> None:
    night = wall.copy()
    night[:84] = 0
    usual = Usual()
    for second in range(3):
        shown(usual, sight(night), second)
    assert usual.signs(sight(night)).dark == 0
    assert usual.signs(sight(np.zeros_like(wall))).dark == 1


def test_only_a_camera_that_lives_can_freeze(usual: Usual, wall: Picture, noisy: Noisy) -> None:
    assert usual.signs(sight(noisy(19))).still
    assert not usual.signs(sight(noisy(18))).still
    drawn = Usual()
    for second in range(20):
        shown(drawn, sight(wall), second)
    assert not drawn.signs(sight(wall)).still


def test_a_view_that_never_stays_cannot_be_told_to_have_changed() -> None:
    usual = Usual()
    for second in range(20):
        noise = np.random.default_rng(second).integers(0, 256, (140, 140, 3), dtype=np.uint8)
        coarse = Image.fromarray(noise[:14, :14]).resize((140, 140), Image.Resampling.BICUBIC)
        shown(usual, sight(np.asarray(coarse), layout=second), second)
    assert usual.signs(sight(np.full((140, 140, 3), 90, np.uint8), layout=99)).changed == 0


def test_it_is_known_after_a_time_and_learns_slowly_afterwards(usual: Usual) -> None:
    assert usual.known(19 * SECOND, 19)
    assert not usual.known(19 * SECOND, 19.1)
    assert not Usual().known(19 * SECOND, 1)
    assert not usual.due(22 * SECOND, STEPS * 4)
    assert usual.due(23 * SECOND, STEPS * 4)


def test_slow_changes_are_followed_although_little_of_it_is_kept(wall: Picture) -> None:
    """Means are kept in 16 bits, so they stop within a thirtieth of what they follow."""
    usual, other = Usual(), np.roll(wall, 60, axis=1)
    for second in range(100):
        shown(usual, sight(wall), second)
    assert usual.signs(sight(other)).changed == 1
    for second in range(100, 500):
        shown(usual, sight(other), second)
    assert np.allclose(usual.slopes, sight(other).slopes, rtol=1 / 30, atol=0.5)
    assert usual.signs(sight(other)).changed == 0
    assert usual.frames == STEPS


def test_it_comes_back_to_the_bit(usual: Usual, noisy: Noisy) -> None:
    said = json.loads(canonical_json(usual.to_json()))
    again = Usual.restored(said, usual.packed())
    assert len(usual.packed()) + len(canonical_json(said)) < 6_000
    for number in range(30, 40):
        seen = sight(noisy(number))
        assert again.signs(seen) == usual.signs(seen)
        for one in (again, usual):
            shown(one, seen, number)
    assert np.array_equal(again.slopes, usual.slopes)
    assert np.array_equal(again.seams, usual.seams)
    assert replace(again, slopes=usual.slopes, seams=usual.seams).to_json() == usual.to_json()


def test_less_than_was_kept_is_refused(usual: Usual) -> None:
    with pytest.raises(ValueError, match="for 36 cells a side and 40 seams"):
        Usual.restored(usual.to_json(), usual.packed()[:-2])
