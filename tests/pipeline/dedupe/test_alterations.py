"""Copies are copies: the same every time, and no more changed than they say."""

import numpy as np
import pytest

from pipeline.dedupe.alterations import ALTERATIONS, MIRRORED, cropped, mirrored, relit


@pytest.fixture
def picture():
    """Smooth, with a bright square left of the middle."""
    rows, columns = np.mgrid[:64, :96]
    grey = (60 + rows + columns).astype(np.uint8)
    picture = np.stack([grey, grey // 2 + 40, 255 - grey], axis=2)
    picture[20:40, 20:40] = 230
    return picture


@pytest.mark.parametrize("name", [*ALTERATIONS, *MIRRORED])
def test_each_gives_a_picture_and_the_same_one_every_time(picture, name):
    alter = {**ALTERATIONS, **MIRRORED}[name]
    before = picture.copy()
    altered = alter(picture)
    assert altered.dtype == np.uint8
    assert altered.shape == ((52, 76, 3) if name.startswith("cropped") else picture.shape)
    assert np.array_equal(altered, alter(picture))
    assert not np.array_equal(altered, picture)
    assert np.array_equal(picture, before)


@pytest.mark.parametrize("name", ["JPEG of quality 30", "JPEG of half the size"])
def test_a_picture_that_was_encoded_anew_is_nearly_what_it_was(picture, name):
    off = np.abs(ALTERATIONS[name](picture).astype(int) - picture)
    assert 0 < off.mean() < 12


def test_light_changes_as_it_is_called(picture):
    means = {name: ALTERATIONS[name](picture).mean(axis=(0, 1)) for name in ALTERATIONS}
    there = picture.mean(axis=(0, 1))
    assert (means["brighter"] > there).all()
    assert (means["darker"] < there).all()
    assert means["warmer light"][0] > there[0]
    assert means["warmer light"][2] < there[2]
    assert np.array_equal(relit(picture), picture)


def test_a_crop_is_the_middle_and_a_mirror_turns_back(picture):
    assert np.array_equal(cropped(picture), picture[6:58, 10:86])
    assert np.array_equal(mirrored(mirrored(picture)), picture)
