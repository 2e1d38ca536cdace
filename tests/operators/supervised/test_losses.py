"""Losses and scores on guesses whose worth is known."""

from __future__ import annotations

import math

import pytest
import torch

from operators.supervised.clips import Clips
from operators.supervised.losses import losses, scores, total
from operators.supervised.student import Guess


def clips() -> Clips:
    depth_m = torch.full((1, 2, 4, 4), 4.0)
    depth_m[:, :, 0] = 0.0  # sky
    classes = torch.zeros(1, 2, 4, 4, dtype=torch.int64)
    classes[:, :, 0] = 2
    return Clips(
        torch.zeros(1, 2, 14, 14, 3, dtype=torch.uint8), depth_m, classes, torch.tensor([1])
    )


def guess(*, metres: float, sure: float) -> Guess:
    """Right about classes, shares and action, as far as it is sure."""
    truth = clips().classes[0]
    right = torch.nn.functional.one_hot(truth, 3).permute(0, 3, 1, 2).float()
    return Guess(
        log_depth=torch.full((2, 4, 4), math.log(metres)),
        classes=sure * right,
        shares=50.0 * right,  # a field is a cell in pictures of one patch
        distance=torch.full((2, 4, 4), math.log(metres)),
        actions=torch.tensor([[0.0, sure]]),
        places=torch.ones(1, 2, 8),
    )


def test_a_perfect_guess_costs_nothing():
    parts = losses(guess(metres=4.0, sure=50.0), clips())

    assert parts.keys() == {"depth", "classes", "shares", "distance", "action"}
    assert total(parts).item() == pytest.approx(0.0, abs=1e-4)


def test_depth_counts_in_logarithms_and_only_where_it_is_known():
    for metres in (2.0, 8.0):
        parts = losses(guess(metres=metres, sure=1.0), clips())

        assert parts["depth"].item() == pytest.approx(math.log(2))
        assert parts["distance"].item() == pytest.approx(math.log(2))


def test_a_field_counts_as_far_as_its_depth_is_known():
    given = clips()
    given.depth_m[:, 0, 1] = 0.0  # of six rows with depth in the two frames one less
    own = guess(metres=4.0, sure=1.0)
    own.distance[0] += 1.0

    assert losses(own, given)["distance"].item() == pytest.approx(2 / 5)


def test_scores_are_what_people_expect():
    good, wrong = guess(metres=5.0, sure=1.0), guess(metres=5.0, sure=-1.0)

    assert scores(good, clips()) == pytest.approx(
        {"depth_abs_rel": 0.25, "cells_right": 1.0, "actions_right": 1.0, "places_found": 1.0}
    )
    assert scores(wrong, clips())["cells_right"] == scores(wrong, clips())["actions_right"] == 0.0
