"""Probabilities of patches become masks of pictures; what is too small is none; absences."""

from __future__ import annotations

import numpy as np
import torch

from operators.follow.masks import picture_mask
from operators.follow.presence import Absence, absences


def likely(*thing):
    told = torch.zeros(4, 6, 2)
    told[..., 0] = 1
    for row, column in thing:
        told[row, column] = torch.tensor([0.0, 1.0])
    return told


def test_nearest_gives_whole_patches_and_bilinear_rounds_their_corners():
    square = [(row, column) for row in (1, 2) for column in (2, 3)]
    blocks = picture_mask(likely(*square), (56, 84), "nearest")
    expected = np.zeros((56, 84), np.uint8)
    expected[14:42, 28:56] = 1
    np.testing.assert_array_equal(blocks, expected)
    smooth = picture_mask(likely(*square), (56, 84))
    assert smooth[28, 42] == 1
    assert smooth[14, 28] == 0
    assert 0.8 < smooth.sum() / expected.sum() < 1


def test_bilinear_is_the_interpolation_between_the_middles_of_patches():
    told = torch.rand(3, 5, 3, generator=torch.Generator().manual_seed(0)).softmax(dim=2)
    ids = picture_mask(told, (30, 50))
    for y, x in ((4, 4), (14, 24), (17, 33), (29, 49)):
        down, across = (min(max((at + 0.5) / 10 - 0.5, 0), end) for at, end in ((y, 2), (x, 4)))
        top, left = min(int(down), 1), min(int(across), 3)
        v, u = down - top, across - left
        mixed = (1 - v) * ((1 - u) * told[top, left] + u * told[top, left + 1]) + v * (
            (1 - u) * told[top + 1, left] + u * told[top + 1, left + 1]
        )
        assert ids[y, x] == int(mixed.argmax())


def test_one_patch_is_a_mask_and_a_trace_is_none():
    assert picture_mask(likely((1, 1)), (56, 84)).any()
    trace = likely()
    trace[1, 1] = torch.tensor([0.49, 0.51])
    assert not picture_mask(trace, (56, 84)).any()


def test_absences_say_when_a_thing_was_lost_and_found():
    times_s = [0.0, 0.2, 0.4, 0.6, 0.8]
    assert absences(times_s, [True] * 5) == []
    assert absences(times_s, [True, False, False, True, False]) == [
        Absence(0.2, 0.4, 0.6),
        Absence(0.8, 0.8, None),
    ]
    assert absences([0.6, 0.4, 0.2], [True, False, True]) == [Absence(0.4, 0.4, 0.2)]
