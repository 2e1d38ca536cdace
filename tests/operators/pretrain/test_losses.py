"""Losses and scores on guesses whose worth is known."""

from __future__ import annotations

import math

import pytest
import torch

from operators.pretrain.clips import Clips
from operators.pretrain.losses import losses, scores, total
from operators.pretrain.student import Guess


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
        shares=torch.log(torch.tensor([[0.75, 1e-9, 0.25]] * 2)),
        actions=torch.tensor([[0.0, sure]]),
    )


def test_a_perfect_guess_costs_nothing_but_the_entropy_of_the_shares():
    parts = losses(guess(metres=4.0, sure=50.0), clips())

    entropy = -(0.75 * math.log(0.75) + 0.25 * math.log(0.25))
    want = {"depth": 0.0, "classes": 0.0, "shares": entropy, "action": 0.0}
    assert {name: part.item() for name, part in parts.items()} == pytest.approx(want, abs=1e-4)
    assert total(parts) == pytest.approx(0.3 * entropy, abs=1e-4)


def test_depth_counts_in_logarithms_and_only_where_it_is_known():
    near, far = (losses(guess(metres=m, sure=1.0), clips())["depth"].item() for m in (2.0, 8.0))

    assert near == pytest.approx(math.log(2)) == far


def test_scores_are_what_people_expect():
    good, wrong = guess(metres=5.0, sure=1.0), guess(metres=5.0, sure=-1.0)

    assert scores(good, clips()) == pytest.approx(
        {"depth_abs_rel": 0.25, "cells_right": 1.0, "actions_right": 1.0}
    )
    assert scores(wrong, clips())["cells_right"] == scores(wrong, clips())["actions_right"] == 0.0
