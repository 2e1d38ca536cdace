"""Clicks and boxes become the patches that a person meant."""

from __future__ import annotations

import pytest
import torch

from operators.follow.seed import Marks, seed

GROUND, CUP, BOOK = torch.eye(8)[:3]


def picture(noise=0.1):
    """Ground, two cups that do not touch, and a book that touches the first."""
    patches = GROUND.expand(12, 16, 8).clone()
    patches[2:6, 2:5] = CUP
    patches[2:6, 10:13] = CUP
    patches[6:9, 2:6] = BOOK
    draw = torch.Generator().manual_seed(0)
    return patches + noise * torch.randn(12, 16, 8, generator=draw)


def ids(*parts):
    told = torch.zeros(12, 16, dtype=torch.long)
    for number, rows, columns in parts:
        told[slice(*rows), slice(*columns)] = number
    return told


FIRST, SECOND, BOOK_AT = ((2, 6), (2, 5)), ((2, 6), (10, 13)), ((6, 9), (2, 6))


def test_a_click_takes_what_is_alike_and_hangs_together_with_it():
    told = seed(picture(), [Marks(points=((3, 3),))])
    assert told.shape == (12, 16, 2)
    assert torch.equal(told.argmax(dim=2), ids((1, *FIRST)))


def test_several_things_share_no_patch():
    told = seed(picture(), [Marks(points=((3, 3),)), Marks(points=((7, 3),))])
    assert torch.equal(told.argmax(dim=2), ids((1, *FIRST), (2, *BOOK_AT)))
    assert torch.equal(told.sum(dim=2), torch.ones(12, 16))


def test_two_clicks_on_one_thing_take_both_parts():
    told = seed(picture(), [Marks(points=((3, 3), (4, 11)))])
    assert torch.equal(told.argmax(dim=2), ids((1, *FIRST), (1, *SECOND)))


def test_a_click_against_takes_away_what_is_more_like_it():
    patches = picture(noise=0)
    patches[6:9, 2:6] = CUP + 0.3 * BOOK  # a second half, nearly alike
    whole = seed(patches, [Marks(points=((3, 3),))])
    assert torch.equal(whole.argmax(dim=2), ids((1, *FIRST), (1, *BOOK_AT)))
    told = seed(patches, [Marks(points=((3, 3),))], against=[(7, 3)])
    assert torch.equal(told.argmax(dim=2), ids((1, *FIRST)))


def test_a_box_takes_what_is_unlike_its_surroundings():
    told = seed(picture(), [Marks(box=(1 / 16, 1 / 12, 6 / 16, 6 / 12))])
    assert torch.equal(told.argmax(dim=2), ids((1, *FIRST)))


def test_a_box_bounds_what_a_click_takes():
    told = seed(picture(), [Marks(points=((3, 3),), box=(0, 0, 1, 4 / 12))])
    assert torch.equal(told.argmax(dim=2), ids((1, (2, 4), (2, 5))))


@pytest.mark.parametrize("box", [(0, 0, 1, 1), (0.51, 0.51, 0.512, 0.512)])
def test_a_box_around_all_or_within_a_patch_is_not_empty(box):
    assert seed(picture(), [Marks(box=box)])[..., 1].sum() > 0


def test_a_picture_that_is_all_alike_gives_what_was_clicked_on():
    told = seed(GROUND.expand(3, 4, 8), [Marks(points=((1, 2),))])
    assert told[..., 1].nonzero().tolist() == [[1, 2]]
