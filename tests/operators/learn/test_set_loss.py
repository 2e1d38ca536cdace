"""The set loss against the one of DETR's twin in transformers: matching, parts, gradients."""

from __future__ import annotations

from dataclasses import replace

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


def masked(counts: tuple[int, ...]) -> tuple[Guess, tuple[Things, ...]]:
    (guess,), things = seeded(counts, layers=1)
    draw = torch.Generator().manual_seed(1)
    masks = torch.randn(len(counts), QUERIES, 6, 8, generator=draw)
    own = tuple(
        replace(one, masks=(torch.rand(len(one.labels), 6, 8, generator=draw) < 0.3).float())
        for one in things
    )
    return replace(guess, masks=masks), own


def test_masks_count_beside_boxes_in_the_matching_and_in_the_loss() -> None:
    guess, things = masked((4, 0, 7))
    bare = tuple(replace(one, masks=None) for one in things)
    whole, without = set_loss(guess, things), set_loss(guess, bare)
    assert float(without.cells) == float(without.area) == 0
    assert float(without.total) == float(set_loss(replace(guess, masks=None), things).total)
    boxes = whole.label + 5 * whole.sides + 2 * whole.overlap
    assert float(whole.total) == pytest.approx(float(boxes + 5 * whole.cells + 5 * whole.area))

    (one,) = masked((1,))[1]
    same = torch.full((1, 2, 4), 0.3)
    logits = torch.zeros(1, 2, CLASSES + 1)
    right = (one.masks - 0.5) * 20
    both = torch.stack([-right[0], right[0]])
    guesses, _ = matched(logits[0], same[0], one, both)
    assert guesses.tolist() == [1]  # what boxes and classes do not tell apart masks do


def test_a_thing_without_a_mask_counts_for_its_box_alone() -> None:
    guess, (first, second) = masked((3, 2))
    assert first.masks is not None
    bare = replace(first, masks=first.masks.clone())
    bare.masks[1] = 0
    found = matched(guess.logits[0], guess.boxes[0], bare, guess.masks[0])
    assert len(found[0]) == 3
    loss = set_loss(guess, (bare, second))
    assert 0 < float(loss.area) < 1
    none = tuple(replace(one, masks=torch.zeros_like(one.masks)) for one in (first, second))
    assert float(set_loss(guess, none).area) == 0
    assert float(set_loss(guess, none).sides) == float(
        set_loss(replace(guess, masks=None), (first, second)).sides
    )
