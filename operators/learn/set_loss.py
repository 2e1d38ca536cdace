"""How wrong a set of guesses is about a set of things (DETR, arXiv 2005.12872), and about their
masks where both have them (Mask2Former, arXiv 2112.01527).

Each thing is matched to one guess of its own, the best for all together; the other guesses should
say nothing. Guesses and things in -> a loss out. Knows no decoder.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from torch import Tensor
from torch.nn import functional as F

from operators.detect.boxes import corners, generalised_iou
from operators.detect.decoder import Guess
from operators.learn.mask_loss import cells_apart, cells_apart_pairs, dice, dice_pairs
from operators.learn.things import Things

_OF_CLASS, _OF_SIDES, _OF_OVERLAP = 1.0, 5.0, 2.0  # DETR's weights, in costs and in the loss
_OF_CELLS, _OF_AREA = 5.0, 5.0  # Mask2Former's, likewise
_NOTHING = 0.1  # what a guess that should say nothing weighs against one that should
_IMPOSSIBLE = 1e6  # for what is no number: matched last

Indices = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class SetLoss:
    """
    Attributes:
        label: cross-entropy over all guesses.
        sides: L1 distance of matched boxes, per thing.
        overlap: 1 - generalised IoU of them, per thing.
        cells: cross-entropy of the cells of matched masks, per thing that has one.
        area: DICE of them, likewise.
    """

    label: Tensor
    sides: Tensor
    overlap: Tensor
    cells: Tensor
    area: Tensor

    @property
    def total(self) -> Tensor:
        """Weighed as DETR and Mask2Former weigh them."""
        boxes = _OF_CLASS * self.label + _OF_SIDES * self.sides + _OF_OVERLAP * self.overlap
        return boxes + _OF_CELLS * self.cells + _OF_AREA * self.area


def matched(
    logits: Tensor, boxes: Tensor, things: Things, masks: Tensor | None = None
) -> tuple[Indices, Indices]:
    """Which guess answers for which thing: the assignment of least cost.

    Args:
        logits: `[K, C + 1]` of one picture.
        boxes: `[K, 4]`.
        things: M of them.
        masks: logits `[K, H, W]`; what they cost counts for things that have masks.

    Returns:
        Indices of guesses and of things, min(K, M) each.
    """
    with torch.no_grad():
        sure = logits.softmax(dim=-1)[:, things.labels]
        apart = (boxes[:, None] - things.boxes).abs().sum(dim=-1)
        overlap = generalised_iou(corners(boxes)[:, None], corners(things.boxes))
        cost = -_OF_CLASS * sure + _OF_SIDES * apart - _OF_OVERLAP * overlap
        if masks is not None and things.masks is not None:
            cost += _mask_cost(masks.flatten(1), things.masks.flatten(1))
        known = cost.nan_to_num(_IMPOSSIBLE, _IMPOSSIBLE, _IMPOSSIBLE)
    guesses, own = linear_sum_assignment(known.numpy())
    return guesses, own


def set_loss(guess: Guess, things: Sequence[Things]) -> SetLoss:
    """Of a batch.

    Args:
        guess: of B pictures, K guesses each.
        things: of each picture.
    """
    classes = guess.logits.shape[-1] - 1
    targets = torch.full(guess.logits.shape[:2], classes)
    said, meant, painted, true = [], [], [], []
    for row, own in enumerate(things):
        masks = None if guess.masks is None else guess.masks[row]
        guesses, answered = matched(guess.logits[row], guess.boxes[row], own, masks)
        targets[row, guesses] = own.labels[answered]
        said.append(guess.boxes[row, guesses])
        meant.append(own.boxes[answered])
        if masks is not None and own.masks is not None:
            painted.append(masks[guesses].flatten(1))
            true.append(own.masks[answered].flatten(1))
    boxes, truths = torch.cat(said), torch.cat(meant)
    weights = torch.ones(classes + 1)
    weights[-1] = _NOTHING
    count = max(1, sum(len(own.labels) for own in things))
    overlap = generalised_iou(corners(boxes), corners(truths))
    return SetLoss(
        F.cross_entropy(guess.logits.mT, targets, weights),
        (boxes - truths).abs().sum() / count,
        (1 - overlap).sum() / count,
        *_of_masks(painted, true, boxes),
    )


def _of_masks(painted: list[Tensor], true: list[Tensor], boxes: Tensor) -> tuple[Tensor, Tensor]:
    """Cross-entropy and DICE per matched thing that has a mask; nothing where none has."""
    nothing = boxes.new_zeros(())
    if not painted:
        return nothing, nothing
    logits, masks = torch.cat(painted), torch.cat(true)
    some = _has_area(masks)
    if not some.any():
        return nothing, nothing
    logits, masks = logits[some], masks[some]
    return cells_apart(logits, masks).mean(), dice(logits, masks).mean()


def _mask_cost(logits: Tensor, masks: Tensor) -> Tensor:
    """`[K, M]`; nothing for a thing without a mask, whichever guess answers for it."""
    cost = _OF_CELLS * cells_apart_pairs(logits, masks) + _OF_AREA * dice_pairs(logits, masks)
    return torch.where(_has_area(masks), cost, 0)


def _has_area(masks: Tensor) -> Tensor:
    return masks.any(dim=-1)
