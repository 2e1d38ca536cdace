"""What classifiers and segmentations are worth, in the field's numbers.

Truth and predictions in -> named estimates and a confusion matrix out. Every interval is over
groups (files, scenes). Knows nothing of features or of files. Tests hold the numbers to
scikit-learn's, which would count all examples anew for each of an interval's draws.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from operators.learn.estimate import Estimate, Floats, Measure, change, estimate
from operators.learn.reliability import calibration_error

IGNORED = 255  # a pixel whose class nobody told

Ids = NDArray[np.integer]


@dataclass(frozen=True, slots=True)
class ClassScores:
    """Quality of answers that are classes.

    Attributes:
        estimates: name -> number with its interval.
        confusion: int64 `[K, K]`, rows truth, columns answer: windows, pictures or pixels.
        per_class: class id -> share of it that was found (of a segmentation: its IoU); classes that
            do not occur are left out.
        groups: files or scenes behind it.
        measures: what the estimates are of, for changes of them.
    """

    estimates: dict[str, Estimate]
    confusion: NDArray[np.int64]
    per_class: dict[int, float]
    groups: int
    measures: Mapping[str, Measure]


def classification_scores(
    targets: Ids, scores: NDArray[np.floating], groups: Sequence[str], *, seed: int = 0
) -> ClassScores:
    """top1, top5 (above 5 classes), mean_class_accuracy and calibration_error.

    Args:
        targets: class ids `[M]`.
        scores: probabilities `[M, K]`.
        groups: file of each of the M examples.
        seed: of the bootstrap.
    """
    answers, classes = scores.argmax(axis=1), scores.shape[1]
    names, member = np.unique(np.asarray(groups), return_inverse=True)
    tallies = _Tallies.of(targets, answers, member, classes)
    measures: dict[str, Measure] = {
        "top1": tallies.accuracy,
        "mean_class_accuracy": tallies.mean_recall,
    }
    if classes > 5:
        first = np.argsort(scores, axis=1, kind="stable")[:, :-6:-1]
        found = np.bincount(member, weights=(first == targets[:, None]).any(axis=1))
        counts = np.bincount(member)
        measures["top5"] = lambda weights: weights @ found / (weights @ counts)
    sure, right = scores.max(axis=1), answers == targets
    measures["calibration_error"] = calibration_error(sure, right, member, len(names))
    return ClassScores(
        {name: estimate(one, len(names), seed=seed) for name, one in measures.items()},
        _confusion(targets, answers, classes),
        _per_class(tallies.hit.sum(axis=0), tallies.truth.sum(axis=0)),
        len(names),
        measures,
    )


def mean_class_accuracy(targets: Ids, answers: Ids) -> float:
    """Mean share found of the classes that occur.

    Args:
        targets: class ids `[M]`.
        answers: class ids `[M]`.
    """
    counts = np.bincount(targets)
    found = np.bincount(targets[targets == answers], minlength=len(counts))
    return float((found[counts > 0] / counts[counts > 0]).mean())


def mean_class_gain(
    targets: Ids, before: Ids, after: Ids, groups: Sequence[str], *, seed: int = 0
) -> Estimate:
    """How much mean class accuracy rises from some answers to others about the same examples.

    Args:
        targets: class ids `[M]`.
        before, after: answers `[M]`.
        groups: file of each of the M examples.
        seed: of the bootstrap.
    """
    names, member = np.unique(np.asarray(groups), return_inverse=True)
    classes = int(max(targets.max(), before.max(), after.max())) + 1
    was, now = (_Tallies.of(targets, answers, member, classes) for answers in (before, after))
    return change(was.mean_recall, now.mean_recall, len(names), seed=seed)


def picture_confusion(truth: Ids, answer: Ids, classes: int) -> NDArray[np.int64]:
    """Pixels of one picture by true class and answer, int64 `[K, K]`; unknown pixels left out.

    Args:
        truth: class ids `[H, W]`, `IGNORED` where unknown.
        answer: class ids of the same size.
        classes: K.
    """
    known = truth.ravel() != IGNORED
    return _confusion(truth.ravel()[known], answer.ravel()[known], classes)


def segmentation_scores(confusions: NDArray[np.int64], *, seed: int = 0) -> ClassScores:
    """miou and pixel_accuracy; a class counts where it is in the truth or in the answers.

    Intersection and union are summed over all pictures before they are divided, as is usual.

    Args:
        confusions: one per file or scene, `[G, K, K]`, see `picture_confusion`.
        seed: of the bootstrap.
    """
    tallies = _Tallies(
        confusions.diagonal(axis1=1, axis2=2).astype(np.float64),
        confusions.sum(axis=2, dtype=np.float64),
        confusions.sum(axis=1, dtype=np.float64),
    )
    measures: dict[str, Measure] = {"miou": tallies.mean_iou, "pixel_accuracy": tallies.accuracy}
    return ClassScores(
        {name: estimate(one, len(confusions), seed=seed) for name, one in measures.items()},
        confusions.sum(axis=0),
        _per_class(tallies.hit.sum(axis=0), tallies.union.sum(axis=0)),
        len(confusions),
        measures,
    )


@dataclass(frozen=True, slots=True)
class _Tallies:
    """All that the numbers are made of, per group and class, float64 `[G, K]`.

    Attributes:
        hit: how often the class was truth and answer.
        truth: how often it was the truth.
        answered: how often it was the answer.
    """

    hit: Floats
    truth: Floats
    answered: Floats

    @classmethod
    def of(cls, targets: Ids, answers: Ids, member: Ids, classes: int) -> _Tallies:
        """From examples `[M]`, each member of a group."""
        groups = int(member.max()) + 1

        def counted(ids: Ids, group: Ids) -> Floats:
            flat = np.bincount(group * classes + ids, minlength=groups * classes)
            return flat.reshape(groups, classes).astype(np.float64)

        right = targets == answers
        return cls(
            counted(targets[right], member[right]),
            counted(targets, member),
            counted(answers, member),
        )

    @property
    def union(self) -> Floats:
        """How often the class was truth or answer."""
        return self.truth + self.answered - self.hit

    def accuracy(self, weights: Floats) -> Floats:
        """Share that is right, of draws `[R, G]`."""
        return _shares(weights @ self.hit.sum(axis=1), weights @ self.truth.sum(axis=1))

    def mean_recall(self, weights: Floats) -> Floats:
        """Mean share found of the classes that are there."""
        return _mean_share(weights @ self.hit, weights @ self.truth)

    def mean_iou(self, weights: Floats) -> Floats:
        """Mean intersection over union of the classes that are there."""
        return _mean_share(weights @ self.hit, weights @ self.union)


def _shares(part: Floats, whole: Floats) -> Floats:
    """`part / whole`; NaN of nothing."""
    return np.divide(part, whole, out=np.full_like(whole, np.nan), where=whole > 0)


def _mean_share(parts: Floats, wholes: Floats) -> Floats:
    """Of each draw `[R]`, over the classes of `[R, K]` that it has."""
    shares = _shares(parts, wholes)
    return _shares(np.nansum(shares, axis=1), (wholes > 0).sum(axis=1).astype(np.float64))


def _per_class(part: Floats, whole: Floats) -> dict[int, float]:
    return {int(id_): float(part[id_] / whole[id_]) for id_ in np.flatnonzero(whole)}


def _confusion(targets: Ids, answers: Ids, classes: int) -> NDArray[np.int64]:
    """Counts int64 `[K, K]` of pairs, flat."""
    pairs = targets.astype(np.int64) * classes + answers
    return np.bincount(pairs, minlength=classes**2).reshape(classes, classes).astype(np.int64)
