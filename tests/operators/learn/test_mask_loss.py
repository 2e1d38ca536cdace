"""Losses of masks against Mask2Former's twin in transformers: of pairs and of all pairs."""

from __future__ import annotations

import pytest
import torch

from operators.learn.mask_loss import cells_apart, cells_apart_pairs, dice, dice_pairs


def seeded(count: int, cells: int = 200) -> tuple[torch.Tensor, torch.Tensor]:
    draw = torch.Generator().manual_seed(3)
    logits = torch.randn(count, cells, generator=draw) * 4
    return logits.requires_grad_(), (torch.rand(count, cells, generator=draw) < 0.2).float()


@pytest.mark.slow
def test_pairs_are_as_transformers_computes_them() -> None:
    from transformers.models.mask2former import modeling_mask2former as twin

    logits, truths = seeded(6)
    for ours, theirs in (
        (cells_apart, twin.sigmoid_cross_entropy_loss),
        (dice, twin.dice_loss),
    ):
        own, other = ours(logits, truths).sum() / 5, theirs(logits, truths, 5)
        assert own.item() == pytest.approx(other.item(), abs=1e-6)
        slopes = (torch.autograd.grad(one, logits)[0] for one in (own, other))
        assert torch.allclose(*slopes, atol=1e-6)


@pytest.mark.slow
def test_all_pairs_are_as_transformers_costs_them() -> None:
    from transformers.models.mask2former import modeling_mask2former as twin

    logits, _ = seeded(7)
    _, truths = seeded(4)
    with torch.no_grad():
        for ours, theirs in (
            (cells_apart_pairs, twin.pair_wise_sigmoid_cross_entropy_loss),
            (dice_pairs, twin.pair_wise_dice_loss),
        ):
            assert torch.allclose(ours(logits, truths), theirs(logits, truths), atol=1e-6)


def test_all_pairs_hold_what_single_ones_say_also_of_shares_of_cells() -> None:
    logits, truths = seeded(5)
    with torch.no_grad():
        for shares in (truths, truths * 0.3):
            for pairs, single in ((cells_apart_pairs, cells_apart), (dice_pairs, dice)):
                assert torch.allclose(pairs(logits, shares).diagonal(), single(logits, shares))


def test_a_right_mask_costs_nothing_and_shares_of_a_cell_pull_to_themselves() -> None:
    truths = torch.tensor([[1.0, 1, 0, 0]])
    right = torch.tensor([[20.0, 20, -20, -20]])
    assert float(cells_apart(right, truths)) == pytest.approx(0, abs=1e-6)
    assert float(dice(right, truths)) == pytest.approx(0, abs=1e-6)
    assert float(dice(-right, truths)) == pytest.approx(1 - 1 / 5, abs=1e-6)
    half = torch.tensor([[0.5]])
    at, beside = (float(cells_apart(torch.tensor([[x]]), half)) for x in (0.0, 1.0))
    assert at < beside
