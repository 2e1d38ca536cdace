"""Repetitions are told by their colours, exactly, and the first of them stays."""

import numpy as np
import pytest
from PIL import Image

from operators.jpeg import jpeg
from pipeline.media.still import read_bounded
from pipeline.pretrain.copies import NEAR_LEVELS, first_of_each, tiny_of


def picture(seed, size_hw=(90, 160)):
    """Colours that run into each other."""
    coarse = np.random.default_rng(seed).integers(0, 200, (5, 6, 3)).astype(np.uint8)
    height, width = size_hw
    return np.asarray(Image.fromarray(coarse).resize((width, height)))


def plain_first_of_each(tinies):
    """One by one, in float64."""
    kept = []
    for number, tiny in enumerate(tinies.astype(float)):
        apart = (np.sqrt(((tiny - tinies[other]) ** 2).mean()) for other in kept)
        if all(one > NEAR_LEVELS for one in apart):
            kept.append(number)
    return kept


def test_another_encoding_is_a_copy_and_another_picture_none():
    one = picture(0)
    again = read_bounded(jpeg(one, (45, 80), 60), "again", 1024)
    tinies = np.stack([tiny_of(one), tiny_of(again), tiny_of(picture(1)), tiny_of(one)])
    assert first_of_each(tinies).tolist() == [0, 2]


def test_somebody_who_walks_through_is_no_copy():
    """Two of a hundred parts of the picture, 60 levels darker."""
    empty = picture(0)
    crossed = empty.astype(int)
    crossed[30:60, 70:80] -= 60
    tinies = np.stack([tiny_of(empty), tiny_of(crossed.clip(0, 255).astype(np.uint8))])
    assert first_of_each(tinies).tolist() == [0, 1]


def test_a_view_that_changes_little_by_little_is_kept_now_and_then():
    tinies = np.repeat(np.arange(40, 140, dtype=np.uint8)[:, None], 192, axis=1)
    assert first_of_each(tinies).tolist() == list(range(0, 100, 3))


@pytest.mark.parametrize("together", [1, 7, 512])
def test_blocks_say_what_one_by_one_says(together, monkeypatch):
    monkeypatch.setattr("pipeline.pretrain.copies._TOGETHER", together)
    draw = np.random.default_rng(0)
    bases = draw.integers(0, 256, (20, 192))
    noise = draw.normal(0, 1.4, (150, 192)).round()
    tinies = (bases[draw.integers(0, 20, 150)] + noise).clip(0, 255).astype(np.uint8)
    wanted = plain_first_of_each(tinies)
    assert 20 < len(wanted) < 150
    assert first_of_each(tinies).tolist() == wanted


def test_the_brightest_pictures_are_compared_exactly():
    """Their products are the largest that there are."""
    white = np.full((3, 192), 255, np.uint8)
    white[1, 0] = 254
    white[2] = 252
    assert first_of_each(white).tolist() == [0, 2]
    assert first_of_each(np.zeros((0, 192), np.uint8)).tolist() == []
