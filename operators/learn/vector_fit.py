"""The best vector head for some examples: every choice is trained, validation picks.

Examples and their parts in -> a head's tensors, its header's facts and how good it is. Knows
nothing of files or of the command line.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import f1_score
from torch import Tensor

from operators.errors import UsageError
from operators.learn.classifiers import (
    Candidate,
    boosted_trees,
    logistic_heads,
    neighbour_heads,
    svm_heads,
)
from operators.learn.examples import Examples
from operators.learn.metrics import ClassScores, classification_scores, mean_class_accuracy
from operators.learn.motion_training import motion_head
from operators.learn.scoring import Scores, head_scores, pooled_windows
from operators.learn.splits import Parts
from operators.learn.sweep import train_rates
from operators.learn.thresholds import thresholds
from operators.vector.frame_vector import FrameVector
from operators.vector.pooling import POOLINGS

CLASSIFIERS = ("linear", "motion", "logistic", "svm", "knn", "xgboost")

_WORTH_NATS = 0.02  # of log loss: where all is told apart, only extremes would win by less

Tell = Callable[[str, float], None]
"""What was tried and its mean class accuracy on validation."""
Worth = tuple[float, float]
"""Mean class accuracy and log loss."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """What is tried.

    Attributes:
        classifier: one of `CLASSIFIERS`: `linear` is DINOv2's sweep.
        poolings: which of `operators.vector.pooling.POOLINGS`.
        seed: of everything that is drawn.

    Raises:
        ValueError: a classifier or a pooling that there is not.
        UsageError: a classifier that can learn none of the poolings.
    """

    classifier: str = "linear"
    poolings: tuple[str, ...] = POOLINGS
    seed: int = 0

    def __post_init__(self) -> None:
        unknown = set(self.poolings) - set(POOLINGS)
        if self.classifier not in CLASSIFIERS or unknown or not self.poolings:
            raise ValueError(
                f"want a classifier of {', '.join(CLASSIFIERS)} and poolings of "
                f"{', '.join(POOLINGS)}, got {self.classifier!r} and {self.poolings!r}"
            )
        if self.classifier == "motion" and "concat" not in self.poolings:
            raise UsageError(
                "the classifier motion reads frames in their order: pooling by concat, got "
                f"{', '.join(self.poolings)}; add concat, or take another classifier"
            )
        if self.classifier != "linear" and set(self.poolings) == {"attention"}:
            others = ", ".join(name for name in POOLINGS if name != "attention")
            raise UsageError(
                f"pooling by attention is learnt by the classifier linear alone, got "
                f"{self.classifier} with attention and nothing else; add a pooling of {others}, "
                "or take linear"
            )


@dataclass(frozen=True, slots=True)
class Quality:
    """How good the head is, on the part that nothing was chosen by where there is one.

    Attributes:
        part: `test`, or `validation` where there are too few groups for a test.
        scores: the field's numbers with their intervals.
        f1: mean of the classes' F1.
        probabilities: `[M, K]` of that part's windows.
        targets: their class ids `[M]`.
        said: share of the windows about which the head says anything, given its thresholds.
    """

    part: str
    scores: ClassScores
    f1: float
    probabilities: Scores
    targets: NDArray[np.int64]
    said: float


@dataclass(frozen=True, slots=True)
class VectorFit:
    """What came out.

    Attributes:
        tensors: as a head file has them; None where the classifier makes no head (xgboost).
        facts: what the header says: vector, pooling, classifier, thresholds, how it was trained.
        quality: how good it is.
        tried: what was tried, with its mean class accuracy on validation.
    """

    tensors: dict[str, Tensor] | None
    facts: dict[str, Any]
    quality: Quality
    tried: tuple[tuple[str, float], ...] = field(default=())


@dataclass(frozen=True, slots=True)
class _Judged:
    """A candidate with what validation says of it."""

    candidate: Candidate
    worth: Worth
    scores: Scores


def fit_vector_head(
    examples: Examples, parts: Parts, recipe: Recipe, *, tell: Tell = lambda *_: None
) -> VectorFit:
    """Train what the recipe names and keep the best.

    Best is the highest mean class accuracy on validation; of equals the lowest log loss, or the
    simpler one where they are close: it is tried first.

    Args:
        examples: all windows.
        parts: which are for what.
        recipe: what is tried.
        tell: told of every candidate.

    Raises:
        UsageError: xgboost is not installed.
    """
    if recipe.classifier == "xgboost":
        return _report_of_trees(examples, parts, recipe, tell)
    validation = examples.take(parts.validation)
    best: _Judged | None = None
    tried = []
    for candidate in _candidates(examples.take(parts.train), recipe):
        judged = _judge(candidate, validation)
        accuracy, _ = judged.worth
        tell(candidate.name, accuracy)
        tried.append((candidate.name, accuracy))
        if best is None or is_better(judged.worth, best.worth):
            best = judged
    assert best is not None
    chosen = best.candidate
    cuts = thresholds(best.scores, validation.targets)
    name, rows = parts.judged
    part = examples.take(rows)
    scores = head_scores(chosen.tensors, chosen.facts, part)
    quality = quality_of(scores, part, cuts, part_name=name, seed=recipe.seed)
    trained = {"classifier": recipe.classifier, "chosen": chosen.name, "tried": len(tried)}
    facts = {**chosen.facts, "thresholds": cuts, "trained": {**trained, "seed": recipe.seed}}
    return VectorFit(chosen.tensors, facts, quality, tuple(tried))


def _candidates(train: Examples, recipe: Recipe) -> Iterator[Candidate]:
    if recipe.classifier == "motion":
        yield motion_head(train, seed=recipe.seed)
        return
    poolings = recipe.poolings if train.frames > 1 else ("mean",)
    for pooling in poolings:
        if pooling == "attention" and recipe.classifier != "linear":
            continue  # only gradients train a query
        for vector in train.choices():
            for candidate in _of_one_choice(train, vector, pooling, recipe):
                facts = {"vector": vector.to_json(), "pooling": pooling, **candidate.facts}
                name = ", ".join((pooling, _spoken(vector), candidate.name))
                yield Candidate(name, candidate.tensors, facts)


def _of_one_choice(
    train: Examples, vector: FrameVector, pooling: str, recipe: Recipe
) -> Iterator[Candidate]:
    if recipe.classifier == "linear":
        heads = train_rates(train, vector, pooling, seed=recipe.seed)
        for rate, tensors in heads.items():
            yield Candidate(f"rate {rate:g}", tensors, {"classifier": "linear"})
        return
    inputs = pooled_windows(train.vectors(vector), train, pooling).numpy()
    if recipe.classifier == "logistic":
        yield from logistic_heads(inputs, train.targets, seed=recipe.seed)
    elif recipe.classifier == "svm":
        yield from svm_heads(inputs, train.targets, seed=recipe.seed)
    else:
        yield from neighbour_heads(inputs, train.targets)


def _judge(candidate: Candidate, validation: Examples) -> _Judged:
    scores = head_scores(candidate.tensors, candidate.facts, validation)
    return _Judged(candidate, worth(scores, validation), scores)


def is_better(one: Worth, other: Worth) -> bool:
    """More accurate; or as accurate and surer by so much that it is worth being less simple."""
    (accuracy, loss), (other_accuracy, other_loss) = one, other
    return accuracy > other_accuracy or (
        accuracy == other_accuracy and other_loss - loss > _WORTH_NATS
    )


def worth(scores: Scores, examples: Examples) -> Worth:
    """What a choice goes by.

    Args:
        scores: probabilities `[M, K]`.
        examples: their windows.
    """
    if not np.isfinite(scores).all():  # a rate at which training ran away
        return 0.0, float("inf")
    exact = scores.astype(np.float64).clip(1e-9, 1.0)
    exact /= exact.sum(axis=1, keepdims=True)
    loss = -np.log(exact[np.arange(len(exact)), examples.targets]).mean()
    return mean_class_accuracy(examples.targets, scores.argmax(axis=1)), float(loss)


def quality_of(
    scores: Scores, part: Examples, cuts: list[float], *, part_name: str, seed: int
) -> Quality:
    """How good a head is.

    Args:
        scores: probabilities `[M, K]`.
        part: the windows that they are of.
        cuts: from which score on each class is said.
        part_name: test or validation.
        seed: of the bootstrap.
    """
    answers = scores.argmax(axis=1)
    return Quality(
        part=part_name,
        scores=classification_scores(part.targets, scores, part.groups, seed=seed),
        f1=float(f1_score(part.targets, answers, average="macro")),
        probabilities=scores,
        targets=part.targets,
        said=float((scores >= np.array(cuts)).any(axis=1).mean()),
    )


def _report_of_trees(examples: Examples, parts: Parts, recipe: Recipe, tell: Tell) -> VectorFit:
    train, validation = examples.take(parts.train), examples.take(parts.validation)
    best: tuple[float, str, FrameVector, str] | None = None
    tried = []
    poolings = recipe.poolings if examples.frames > 1 else ("mean",)
    for pooling in (name for name in dict.fromkeys(poolings) if name != "attention"):
        for vector in examples.choices():
            scores = _trees(train, validation, vector, pooling, recipe.seed)
            accuracy, _ = worth(scores, validation)
            name = f"{pooling}, {_spoken(vector)}"
            tell(name, accuracy)
            tried.append((name, accuracy))
            if best is None or accuracy > best[0]:
                best = (accuracy, name, vector, pooling)
    assert best is not None
    _, chosen, vector, pooling = best
    cuts = thresholds(_trees(train, validation, vector, pooling, recipe.seed), validation.targets)
    name, rows = parts.judged
    part = examples.take(rows)
    scores = _trees(train, part, vector, pooling, recipe.seed)
    quality = quality_of(scores, part, cuts, part_name=name, seed=recipe.seed)
    facts = {"trained": {"classifier": "xgboost", "chosen": chosen, "seed": recipe.seed}}
    return VectorFit(None, facts, quality, tuple(tried))


def _trees(
    train: Examples, others: Examples, vector: FrameVector, pooling: str, seed: int
) -> Scores:
    vectors = train.vectors(vector)
    inputs = pooled_windows(vectors, train, pooling).numpy()
    return boosted_trees(
        inputs, train.targets, pooled_windows(vectors, others, pooling).numpy(), seed=seed
    )


def _spoken(vector: FrameVector) -> str:
    blocks = "1 block" if vector.blocks == 1 else f"{vector.blocks} blocks"
    return f"{blocks} + mean patch" if vector.mean_patch else blocks
