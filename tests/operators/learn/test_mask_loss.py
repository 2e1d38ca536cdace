"""Losses of masks against their twins in transformers: of pairs and of all pairs."""

from __future__ import annotations

import pytest
import torch

from operators.learn.mask_loss import dice, dice_pairs, focal, focal_pairs


def seeded(count: int, cells: int = 200) -> tuple[torch.Tensor, torch.Tensor]:
    draw = torch.Generator().manual_seed(3)
    logits = torch.randn(count, cells, generator=draw) * 4
    return logits.requires_grad_(), (torch.rand(count, cells, generator=draw) < 0.2).float()


@pytest.mark.slow
def test_pairs_are_as_transformers_computes_them() -> None:
    from transformers.loss.loss_for_object_detection import dice_loss, sigmoid_focal_loss

    logits, truths = seeded(6)
    for ours, theirs in ((focal, sigmoid_focal_loss), (dice, dice_loss)):
        own, twin = ours(logits, truths).sum() / 5, theirs(logits, truths, 5)
        assert own.item() == pytest.approx(twin.item(), abs=1e-6)
        slopes = (torch.autograd.grad(one, logits)[0] for one in (own, twin))
        assert torch.allclose(*slopes, atol=1e-6)


@pytest.mark.slow
def test_all_pairs_are_as_transformers_maskformer_costs_them() -> None:
    from transformers.models.maskformer.modeling_maskformer import (
        pair_wise_dice_loss,
        pair_wise_sigmoid_focal_loss,
    )

    logits, _ = seeded(7)
    _, truths = seeded(4)
    with torch.no_grad():
        assert torch.allclose(
            focal_pairs(logits, truths), pair_wise_sigmoid_focal_loss(logits, truths), atol=1e-6
        )
        assert torch.allclose(
            dice_pairs(logits, truths), pair_wise_dice_loss(logits, truths), atol=1e-6
        )


def test_all_pairs_hold_what_single_ones_say() -> None:
    logits, truths = seeded(5)
    with torch.no_grad():
        for pairs, single in ((focal_pairs, focal), (dice_pairs, dice)):
            assert torch.allclose(pairs(logits, truths).diagonal(), single(logits, truths))


def test_a_right_mask_costs_nothing_and_shares_of_a_cell_pull_to_themselves() -> None:
    truths = torch.tensor([[1.0, 1, 0, 0]])
    right = torch.tensor([[20.0, 20, -20, -20]])
    assert float(focal(right, truths)) == pytest.approx(0, abs=1e-6)
    assert float(dice(right, truths)) == pytest.approx(0, abs=1e-6)
    assert float(dice(-right, truths)) == pytest.approx(1 - 1 / 5, abs=1e-6)
    half = torch.tensor([[0.5]])
    at, beside = (float(focal(torch.tensor([[x]]), half)) for x in (0.0, 1.0))
    assert at < beside
