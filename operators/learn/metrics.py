"""What classifiers and segmentations are worth, in the field's numbers, by scikit-learn.

Truth and predictions in -> named estimates and a confusion matrix out. Every interval is over
groups (files, scenes). Knows nothing of features or of files.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import (
    accuracy_score,
    confusion_matrix,
    jaccard_score,
    recall_score,
    top_k_accuracy_score,
)

from operators.learn.estimate import Estimate, Weights, estimate
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
    """

    estimates: dict[str, Estimate]
    confusion: NDArray[np.int64]
    per_class: dict[int, float]
    groups: int


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
    count = scores.shape[1]
    answers = scores.argmax(axis=1)
    names, member = np.unique(np.asarray(groups), return_inverse=True)

    def top1(weights: Weights) -> float:
        return float(accuracy_score(targets, answers, sample_weight=weights[member]))

    def top5(weights: Weights) -> float:
        labels = np.arange(count)
        return float(
            top_k_accuracy_score(targets, scores, k=5, labels=labels, sample_weight=weights[member])
        )

    def mean_class(weights: Weights) -> float:
        return _mean_class(targets, answers, weights[member])

    def miscalibration(weights: Weights) -> float:
        return calibration_error(scores.max(axis=1), answers == targets, weights[member])

    measures = {"top1": top1, "mean_class_accuracy": mean_class}
    if count > 5:
        measures["top5"] = top5
    measures["calibration_error"] = miscalibration
    return ClassScores(
        {name: estimate(one, len(names), seed=seed) for name, one in measures.items()},
        confusion_matrix(targets, answers, labels=np.arange(count)).astype(np.int64),
        _recalls(targets, answers),
        len(names),
    )


def mean_class_gain(
    targets: Ids, before: Ids, after: Ids, groups: Sequence[str], *, seed: int = 0
) -> Estimate:
    """How much mean class accuracy rises from some answers to others about the same examples.

    Groups are drawn anew for both answers alike, so what is hard for both widens nothing.

    Args:
        targets: class ids `[M]`.
        before, after: answers `[M]`.
        groups: file of each of the M examples.
        seed: of the bootstrap.
    """
    names, member = np.unique(np.asarray(groups), return_inverse=True)

    def gain(weights: Weights) -> float:
        own = weights[member]
        return _mean_class(targets, after, own) - _mean_class(targets, before, own)

    return estimate(gain, len(names), seed=seed)


def picture_confusion(truth: Ids, answer: Ids, classes: int) -> NDArray[np.int64]:
    """Pixels of one picture by true class and answer, int64 `[K, K]`; unknown pixels left out.

    Args:
        truth: class ids `[H, W]`, `IGNORED` where unknown.
        answer: class ids of the same size.
        classes: K.
    """
    known = truth.ravel() != IGNORED
    if not known.any():
        return np.zeros((classes, classes), np.int64)
    pairs = (truth.ravel()[known], answer.ravel()[known])
    counts: NDArray[np.int64] = confusion_matrix(*pairs, labels=np.arange(classes))
    return counts.astype(np.int64)


def segmentation_scores(confusions: NDArray[np.int64], *, seed: int = 0) -> ClassScores:
    """miou and pixel_accuracy; a class counts where it is in the truth or in the answers.

    Intersection and union are summed over all pictures before they are divided, as is usual.

    Args:
        confusions: one per file or scene, `[G, K, K]`, see `picture_confusion`.
        seed: of the bootstrap.
    """

    def miou(weights: Weights) -> float:
        pairs = _Pairs.of(np.tensordot(weights, confusions, axes=1))
        return float(jaccard_score(average="macro", labels=pairs.present, **pairs.given))

    def pixels(weights: Weights) -> float:
        return float(accuracy_score(**_Pairs.of(np.tensordot(weights, confusions, axes=1)).given))

    whole = confusions.sum(axis=0)
    pairs = _Pairs.of(whole.astype(np.float64))
    ious = jaccard_score(average=None, labels=pairs.present, **pairs.given)
    measures = {"miou": miou, "pixel_accuracy": pixels}
    return ClassScores(
        {name: estimate(one, len(confusions), seed=seed) for name, one in measures.items()},
        whole,
        {int(id_): float(iou) for id_, iou in zip(pairs.present, ious, strict=True)},
        len(confusions),
    )


@dataclass(frozen=True, slots=True)
class _Pairs:
    """A confusion matrix as scikit-learn takes data: pairs of classes, each with its weight."""

    given: dict[str, Any]
    present: NDArray[np.intp]

    @classmethod
    def of(cls, confusion: NDArray[np.float64]) -> _Pairs:
        truth, answer = np.nonzero(confusion)
        weight = confusion[truth, answer]
        given = {"y_true": truth, "y_pred": answer, "sample_weight": weight}
        return cls(given, np.union1d(truth, answer))


def _mean_class(targets: Ids, answers: Ids, weights: Weights) -> float:
    """Mean share found of the classes that have any weight."""
    present = np.unique(targets[weights > 0])
    return float(
        recall_score(targets, answers, labels=present, average="macro", sample_weight=weights)
    )


def _recalls(targets: Ids, answers: Ids) -> dict[int, float]:
    present = np.unique(targets)
    found = recall_score(targets, answers, labels=present, average=None)
    return {int(id_): float(share) for id_, share in zip(present, found, strict=True)}
