"""How good boxes or masks are: COCO's average precision, and from which score on a label is best
told.

Found things and true things, picture by picture, in -> numbers with intervals over files or scenes
out. Tests hold it to pycocotools, whose rules these are. Knows no features.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from operators.learn.estimate import Estimate, Floats, estimate
from operators.learn.thresholds import NEVER

IOUS = np.linspace(0.5, 0.95, 10)
_RECALLS = np.linspace(0.0, 1.0, 101)
_MOST = 100  # things of a label in a picture that count
_DECIMALS = 6
_TINY = np.spacing(1)

Numbers = NDArray[np.floating]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Found:
    """What was said of one picture.

    Attributes:
        boxes: left, top, right, bottom `[N, 4]`, in the truth's units.
        scores: `[N]`.
        labels: class ids `[N]`.
    """

    boxes: Numbers
    scores: Numbers
    labels: Numbers


_Told = tuple[Found, Numbers, Floats, int]
"""Of a picture: what was said, what is true, how far they overlap, its group."""


@dataclass(frozen=True, slots=True)
class DetectionScores:
    """
    Attributes:
        estimates: `ap50_95` and `ap50`, means over the labels that occur.
        per_class: class id -> ap50, of the labels that occur.
        thresholds: by class id, the score with the best F1 at half an overlap; above 1 where
            nothing right was found.
        things: true ones that count.
        groups: files or scenes.
    """

    estimates: dict[str, Estimate]
    per_class: dict[int, float]
    thresholds: list[float]
    things: int
    groups: int


def detection_scores(
    found: Sequence[Found],
    truths: Sequence[Numbers],
    groups: Sequence[str],
    classes: int,
    *,
    overlaps: Sequence[Floats] | None = None,
    seed: int = 0,
) -> DetectionScores:
    """Measure answers.

    Args:
        found: of each picture.
        truths: of each picture `[M, 6]`, as of `operators.learn.things`.
        groups: file or scene of each picture.
        classes: how many labels there are.
        overlaps: of each picture `[N, M]`, what is found against what is true, in place of those
            of boxes; as of `operators.learn.mask_overlaps`.
        seed: of the bootstrap.
    """
    if overlaps is None:
        overlaps = [
            _overlaps(one.boxes, truth[:, 1:5], truth[:, 5] > 0)
            for one, truth in zip(found, truths, strict=True)
        ]
    names, member = np.unique(np.asarray(groups), return_inverse=True)
    told = list(zip(found, truths, overlaps, member.tolist(), strict=True))
    labels = [_label(told, len(names), id_) for id_ in range(classes)]
    once = np.ones((1, len(names)))

    def mean(weights: Floats, ious: slice) -> Floats:
        each = np.stack([one.precision(weights, ious) for one in labels])
        known = np.isfinite(each)
        total: Floats = np.where(known, each, 0).sum(axis=0)
        averaged: Floats = total / np.maximum(known.sum(axis=0), 1)
        return averaged

    half, every = slice(1), slice(len(IOUS))
    return DetectionScores(
        {
            "ap50_95": estimate(lambda weights: mean(weights, every), len(names), seed=seed),
            "ap50": estimate(lambda weights: mean(weights, half), len(names), seed=seed),
        },
        {
            id_: float(one.precision(once, half)[0])
            for id_, one in enumerate(labels)
            if one.things.any()
        },
        [one.threshold() for one in labels],
        int(sum(one.things.sum() for one in labels)),
        len(names),
    )


@dataclass(frozen=True, slots=True)
class _Label:
    """Everything that was said of one label, the surest first.

    Attributes:
        scores: `[D]`.
        right: at each of `IOUS`, whether it is one of the true things `[T, D]`.
        counts: whether it counts at all: not one on a thing that is neither learnt nor missed.
        member: group of each `[D]`.
        things: true ones of each group that count `[G]`.
    """

    scores: Numbers
    right: Flags
    counts: Flags
    member: NDArray[np.intp]
    things: NDArray[np.int64]

    def precision(self, weights: Floats, ious: slice) -> Floats:
        """Average precision draw by draw `[R]`, the mean over overlaps; NaN without true things."""
        drawn = weights[:, self.member]
        things = weights @ self.things
        found = np.zeros(len(weights))
        for right, counts in zip(self.right[ious], self.counts[ious], strict=True):
            hits = np.cumsum(drawn * (right & counts), axis=1)
            said = np.cumsum(drawn * counts, axis=1)
            recall = hits / np.maximum(things, _TINY)[:, None]
            found += [_area(*row) for row in zip(recall, hits / (said + _TINY), strict=True)]
        return np.where(things > 0, found / len(self.right[ious]), np.nan)

    def threshold(self) -> float:
        """The score with the best F1 at half an overlap, in the middle to the next lower one."""
        counts = self.counts[0]
        scores, right = self.scores[counts], self.right[0][counts]
        said = np.arange(1, len(scores) + 1)
        f1 = 2 * np.cumsum(right) / (said + self.things.sum())
        # Of equal scores only the last says what a threshold there would tell.
        last = np.append(scores[1:] < scores[:-1], True)[: len(scores)]
        f1 = np.where(last, f1, 0)
        if not f1.size or f1.max() <= 0:
            return NEVER
        best = int(np.flatnonzero(f1 == f1.max())[0])
        below = float(scores[best + 1]) if best + 1 < len(scores) else 0.0
        return round((float(scores[best]) + below) / 2, _DECIMALS)


def _area(recall: Floats, precision: Floats) -> float:
    """Under the best precision at each recall or above, over COCO's 101 recalls."""
    if not recall.size:
        return 0.0
    best = np.maximum.accumulate(precision[::-1])[::-1]
    at = np.searchsorted(recall, _RECALLS, side="left")
    return float(np.append(best, 0.0)[at].mean())


def _label(told: Sequence[_Told], groups: int, id_: int) -> _Label:
    scores, right, counts, members = [], [], [], []
    things = np.zeros(groups, dtype=np.int64)
    for one, truth, overlaps, group in told:
        own = truth[:, 0] == id_
        lax = truth[own, 5] > 0
        things[group] += int((~lax).sum())
        rows = np.flatnonzero(one.labels == id_)
        rows = rows[np.argsort(-one.scores[rows], kind="stable")][:_MOST]
        hit, counted = _matched(overlaps[rows][:, own], lax)
        scores.append(one.scores[rows])
        right.append(hit)
        counts.append(counted)
        members.append(np.full(len(rows), group))
    every = np.concatenate(scores)
    order = np.argsort(-every, kind="stable")
    return _Label(
        every[order],
        np.concatenate(right, axis=1)[:, order],
        np.concatenate(counts, axis=1)[:, order],
        np.concatenate(members)[order],
        things,
    )


def _matched(overlaps: Floats, lax: Flags) -> tuple[Flags, Flags]:
    """Of one label in one picture: which guesses, the surest first, are things, and which count.

    Each takes the thing that it overlaps most of those that are left; one that does not count is
    taken only where no other is, and by as many as lie on it.
    """
    order = np.argsort(lax, kind="stable")
    overlaps, lax = overlaps[:, order], lax[order]
    right = np.zeros((len(IOUS), len(overlaps)), dtype=bool)
    counts = np.ones_like(right)
    for row, least in enumerate(IOUS):
        left = np.ones(len(lax), dtype=bool)
        for guess, own in enumerate(overlaps):
            fits = left & (own >= min(least, 1 - 1e-10))
            real = fits & ~lax
            among = real if real.any() else fits
            if not among.any():
                continue
            # Of equal overlaps the last, as pycocotools does.
            best = len(own) - 1 - int(np.where(among, own, -1)[::-1].argmax())
            right[row, guess], counts[row, guess] = not lax[best], not lax[best]
            left[best] = lax[best]
    return right, counts


def _overlaps(boxes: Numbers, truth: Numbers, lax: Flags) -> Floats:
    """Intersection over union `[N, M]`; over the box alone where a thing does not count."""
    first, second = boxes.astype(np.float64)[:, None], truth.astype(np.float64)[None]
    low = np.maximum(first[..., :2], second[..., :2])
    high = np.minimum(first[..., 2:], second[..., 2:])
    common: Floats = (high - low).clip(0).prod(axis=-1)
    own, other = ((one[..., 2:] - one[..., :2]).prod(axis=-1) for one in (first, second))
    whole = np.where(lax, own, own + other - common)
    shares: Floats = common / np.maximum(whole, _TINY)
    return shares
