"""The set loss against the one of DETR's twin in transformers: matching, parts, gradients."""

from __future__ import annotations

import pytest
import torch

from operators.detect.decoder import Guess
from operators.learn.set_loss import matched, set_loss
from operators.learn.things import Things

CLASSES, QUERIES = 5, 20


def seeded(counts: tuple[int, ...], *, layers: int = 3) -> tuple[list[Guess], tuple[Things, ...]]:
    draw = torch.Generator().manual_seed(7)

    def boxes(*shape: int) -> torch.Tensor:
        return torch.rand(*shape, 4, generator=draw) * 0.5 + 0.1

    guesses = [
        Guess(
            torch.randn(len(counts), QUERIES, CLASSES + 1, generator=draw) * 2,
            boxes(len(counts), QUERIES),
        )
        for _ in range(layers)
    ]
    things = tuple(
        Things(torch.randint(0, CLASSES, (count,), generator=draw), boxes(count))
        for count in counts
    )
    return guesses, things


@pytest.mark.slow
@pytest.mark.parametrize("counts", [(4, 0, 7), (0, 0, 0), (25, 1, 3)])
def test_it_is_what_transformers_detr_computes(counts: tuple[int, ...]) -> None:
    from transformers import DetrConfig
    from transformers.loss.loss_for_object_detection import ForObjectDetectionLoss

    guesses, things = seeded(counts)
    numbers = [one.requires_grad_() for guess in guesses for one in (guess.logits, guess.boxes)]
    config = DetrConfig(num_labels=CLASSES, auxiliary_loss=True)
    labels = [{"class_labels": own.labels, "boxes": own.boxes} for own in things]
    last = guesses[-1]
    theirs, parts, _ = ForObjectDetectionLoss(
        last.logits,
        labels,
        torch.device("cpu"),
        last.boxes,
        config,
        torch.stack([guess.logits for guess in guesses]),
        torch.stack([guess.boxes for guess in guesses]),
    )
    ours = [set_loss(guess, things) for guess in guesses]
    total = torch.stack([one.total for one in ours]).sum()

    assert total.item() == pytest.approx(theirs.item(), abs=1e-5)
    for name, number in (
        ("loss_ce", ours[-1].label),
        ("loss_bbox", ours[-1].sides),
        ("loss_giou", ours[-1].overlap),
        ("loss_bbox_1", ours[1].sides),
    ):
        assert number.item() == pytest.approx(parts[name].item(), abs=1e-5)
    for own, twin in zip(
        torch.autograd.grad(total, numbers), torch.autograd.grad(theirs, numbers), strict=True
    ):
        assert torch.allclose(own, twin, atol=1e-5)


@pytest.mark.slow
def test_things_are_matched_as_transformers_matches_them() -> None:
    from transformers.loss.loss_for_object_detection import HungarianMatcher

    guesses, things = seeded((4, 0, 25), layers=1)
    (guess,) = guesses
    labels = [{"class_labels": own.labels, "boxes": own.boxes} for own in things]
    matcher = HungarianMatcher(class_cost=1, bbox_cost=5, giou_cost=2)
    theirs = matcher({"logits": guess.logits, "pred_boxes": guess.boxes}, labels)
    for row, own in enumerate(things):
        ours = matched(guess.logits[row], guess.boxes[row], own)
        assert [indices.tolist() for indices in ours] == [one.tolist() for one in theirs[row]]
        assert len(ours[0]) == min(QUERIES, len(own.labels))


def test_a_right_set_of_guesses_costs_next_to_nothing_in_any_order() -> None:
    _, (own,) = seeded((3,), layers=0)
    logits = torch.full((1, 4, CLASSES + 1), -20.0)
    boxes = torch.full((1, 4, 4), 0.3)
    for row, query in enumerate((2, 0, 3)):
        logits[0, query, own.labels[row]] = 20
        boxes[0, query] = own.boxes[row]
    logits[0, 1, -1] = 20
    loss = set_loss(Guess(logits, boxes), [own])
    assert loss.total.item() == pytest.approx(0, abs=1e-5)
    logits[0, 1, 0] = 40  # the one that should say nothing
    assert set_loss(Guess(logits, boxes), [own]).label.item() == pytest.approx(20 * 0.1 / 3.1)


def test_guesses_that_are_no_numbers_are_matched_last() -> None:
    (guess,), (own,) = seeded((3,), layers=1)
    logits = guess.logits[0].clone()
    logits[:10] = torch.nan
    queries, _ = matched(logits, guess.boxes[0], own)
    assert queries.min() >= 10
