"""How well tracks keep who is who: IDF1, HOTA, switches of ids. True and told boxes in.

IDF1 (Ristani 2016) pairs whole true tracks with whole told ones, one to one, so that most boxes
agree. HOTA (Luiten 2021) pairs boxes frame by frame, and asks of every pair how much of the two
tracks agrees; it is the mean over 19 least overlaps. A switch (CLEAR) is a true thing whose box is
told with another id than the last time. Sequences are measured together where ids differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

OVERLAP = 0.5  # IDF1 and switches: least intersection over union of two boxes that agree
OVERLAPS = np.arange(0.05, 0.99, 0.05)  # HOTA: all of these
_EPSILON = np.finfo(np.float64).eps

Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Told:
    """One frame: ids `[n]` and boxes `[n, 4]` (left, top, right, bottom), true and told ones."""

    true_ids: NDArray[np.int64]
    true_boxes: Numbers
    ids: NDArray[np.int64]
    boxes: Numbers


@dataclass(frozen=True, slots=True)
class Worth:
    """
    Attributes:
        idf1: 0 to 1.
        hota: 0 to 1; `detection` and `association` are what it is made of.
        switches: how often.
        precision, recall: of boxes, at `OVERLAP`.
        boxes: so many are true.
    """

    idf1: float
    hota: float
    detection: float
    association: float
    switches: int
    precision: float
    recall: float
    boxes: int


def worth(frames: Sequence[Told]) -> Worth:
    """Of frames in their order; an id means one thing in all of them.

    Raises:
        ValueError: nothing is true, or an id stands twice in a frame.
    """
    numbered = _numbered(frames)
    if not any(len(one.true_ids) for one in numbered):
        raise ValueError("there is no true box: nothing can be measured")
    overlaps = [overlap(one.true_boxes, one.boxes) for one in numbered]
    hota, detection, association = _hota(numbered, overlaps)
    agreed, switches = _switches(numbered, overlaps)
    true, told = _count(numbered)
    return Worth(
        idf1=_idf1(numbered, overlaps),
        hota=hota,
        detection=detection,
        association=association,
        switches=switches,
        precision=agreed / max(1, told.sum()),
        recall=agreed / true.sum(),
        boxes=int(true.sum()),
    )


def overlap(one: Numbers, other: Numbers) -> Numbers:
    """Intersection over union of all pairs of boxes: `[n, 4]`, `[m, 4]` -> `[n, m]`."""
    low = np.maximum(one[:, None, :2], other[None, :, :2])
    high = np.minimum(one[:, None, 2:], other[None, :, 2:])
    shared = np.prod(np.maximum(high - low, 0), axis=2)
    areas = [np.prod(boxes[:, 2:] - boxes[:, :2], axis=1) for boxes in (one, other)]
    union = areas[0][:, None] + areas[1] - shared
    return np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)


def _numbered(frames: Sequence[Told]) -> list[Told]:
    """With ids 0, 1, 2, ..."""
    for one in frames:
        if any(len(np.unique(ids)) < len(ids) for ids in (one.true_ids, one.ids)):
            raise ValueError("an id stands twice in a frame")
    true = np.unique(np.concatenate([one.true_ids for one in frames]))
    told = np.unique(np.concatenate([one.ids for one in frames]))
    return [
        Told(
            np.searchsorted(true, one.true_ids),
            one.true_boxes,
            np.searchsorted(told, one.ids),
            one.boxes,
        )
        for one in frames
    ]


def _count(frames: Sequence[Told]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """How many boxes each true and each told id has."""
    return (
        np.bincount(np.concatenate([one.true_ids for one in frames]).astype(np.int64)),
        np.bincount(np.concatenate([one.ids for one in frames]).astype(np.int64)),
    )


def _idf1(frames: Sequence[Told], overlaps: Sequence[Numbers]) -> float:
    true, told = _count(frames)
    agree = np.zeros((len(true), len(told)))
    for one, shares in zip(frames, overlaps, strict=True):
        agree[np.ix_(one.true_ids, one.ids)] += shares >= OVERLAP
    rows, columns = linear_sum_assignment(-agree)
    return float(2 * agree[rows, columns].sum() / (true.sum() + told.sum()))


def _hota(frames: Sequence[Told], overlaps: Sequence[Numbers]) -> tuple[float, float, float]:
    """HOTA, and the means of its detection and association accuracy."""
    true, told = _count(frames)
    likely = np.zeros((len(true), len(told)))
    for one, shares in zip(frames, overlaps, strict=True):
        either = shares.sum(0) + shares.sum(1)[:, None] - shares
        part = np.divide(shares, either, out=np.zeros_like(shares), where=either > _EPSILON)
        likely[np.ix_(one.true_ids, one.ids)] += part
    aligned = likely / np.maximum(true[:, None] + told - likely, _EPSILON)
    paired = np.zeros((len(OVERLAPS), len(true), len(told)))
    for one, shares in zip(frames, overlaps, strict=True):
        rows, columns = linear_sum_assignment(-aligned[np.ix_(one.true_ids, one.ids)] * shares)
        enough = shares[rows, columns] >= OVERLAPS[:, None] - _EPSILON
        paired[:, one.true_ids[rows], one.ids[columns]] += enough
    pairs = paired.sum(axis=(1, 2))
    detection = pairs / (true.sum() + told.sum() - pairs)
    of_pair = paired / np.maximum(1, true[:, None] + told - paired)
    association = (paired * of_pair).sum(axis=(1, 2)) / np.maximum(1, pairs)
    return (
        float(np.sqrt(detection * association).mean()),
        float(detection.mean()),
        float(association.mean()),
    )


def _switches(frames: Sequence[Told], overlaps: Sequence[Numbers]) -> tuple[int, int]:
    """How many boxes agree, and how often an id changed; who was paired in the last frame stays."""
    known: dict[int, int] = {}
    before: dict[int, int] = {}
    agreed = switches = 0
    for one, shares in zip(frames, overlaps, strict=True):
        if not len(one.true_ids):
            continue
        stays = np.array([before.get(true, -1) for true in one.true_ids.tolist()])
        score = np.where(
            shares < OVERLAP - _EPSILON, 0, shares + 1000 * (stays[:, None] == one.ids)
        )
        rows, columns = linear_sum_assignment(-score)
        right = score[rows, columns] > _EPSILON
        true, told = one.true_ids[rows[right]].tolist(), one.ids[columns[right]].tolist()
        now = dict(zip(true, told, strict=True))
        switches += sum(known.get(true, told) != told for true, told in now.items())
        agreed += len(now)
        if len(one.ids):
            before = now
        known |= now
    return agreed, switches
