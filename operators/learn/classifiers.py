"""Heads for few examples, by scikit-learn: logistic regression, a linear SVM, nearest neighbours.

Pooled windows in -> a head's tensors out. Boosted trees (xgboost) can be measured the same way, but
a head file holds no trees.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC
from torch import Tensor

from operators.errors import UsageError
from operators.learn.span import Span, pays
from operators.vector.vector_head import BIAS, EXAMPLE_CLASSES, EXAMPLES, WEIGHT

STRENGTHS = (0.1, 1.0, 10.0, 100.0, 1000.0)  # C: how much fit counts against small weights
NEIGHBOURS = (5, 10, 20, 50)
TEMPERATURE = 0.07  # of the votes, as DINOv2 evaluates (upstream: eval/knn.py)
_SHARPNESS = (
    0.5,
    1.0,
    2.0,
    4.0,
    8.0,
    16.0,
)  # an SVM's margins are no log-odds: scaled on validation
_STEPS = 2000

Inputs = NDArray[np.float32]
Targets = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Candidate:
    """One trained head and how it came about.

    Attributes:
        name: what was varied, for a person.
        tensors: as a head file has them.
        facts: what the header says of the classifier.
    """

    name: str
    tensors: dict[str, Tensor]
    facts: dict[str, Any]


def logistic_heads(inputs: Inputs, targets: Targets, *, seed: int = 0) -> Iterator[Candidate]:
    """Multinomial logistic regression, once per strength; every class weighs the same.

    Args:
        inputs: pooled windows `[M, F]`.
        targets: class ids `[M]`, every class at least once.
        seed: of the solver.
    """
    scaled = _Scaled(inputs)
    for strength in STRENGTHS:
        model = LogisticRegression(
            C=strength, max_iter=_STEPS, class_weight="balanced", random_state=seed
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # validation judges what came out
            model.fit(scaled.inputs, targets)
        yield Candidate(f"C {strength:g}", scaled.linear(model), {"classifier": "linear"})


def svm_heads(inputs: Inputs, targets: Targets, *, seed: int = 0) -> Iterator[Candidate]:
    """Linear support vector machines, one class against the rest, once per strength and sharpness.

    The margins go through a softmax; how sharp it has to be is for validation to say.
    """
    scaled = _Scaled(inputs)
    for strength in STRENGTHS:
        model = LinearSVC(C=strength, max_iter=_STEPS, class_weight="balanced", random_state=seed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(scaled.inputs, targets)
        tensors = scaled.linear(model)
        for sharpness in _SHARPNESS:
            sharp = {name: tensor * sharpness for name, tensor in tensors.items()}
            name = f"C {strength:g}, sharpness {sharpness:g}"
            yield Candidate(name, sharp, {"classifier": "linear"})


def neighbour_heads(inputs: Inputs, targets: Targets) -> Iterator[Candidate]:
    """The examples themselves; the k most similar vote. Nothing is trained."""
    lengths = np.linalg.norm(inputs.astype(np.float64), axis=1, keepdims=True)
    tensors = {
        EXAMPLES: torch.from_numpy((inputs / lengths).astype(np.float32)),
        EXAMPLE_CLASSES: torch.from_numpy(targets),
    }
    for k in sorted({min(k, len(targets)) for k in NEIGHBOURS}):
        facts = {"classifier": "knn", "k": k, "temperature": TEMPERATURE}
        yield Candidate(f"k {k}", tensors, facts)


def boosted_trees(
    inputs: Inputs, targets: Targets, others: Inputs, *, seed: int = 0
) -> NDArray[np.float32]:
    """Scores `[M', K]` that gradient boosted trees give to other windows. A report, no head.

    Raises:
        UsageError: xgboost is not installed.
    """
    try:
        from xgboost import XGBClassifier
    except ImportError as error:
        raise UsageError(
            "--classifier xgboost needs a package that is not installed: pip install xgboost, or "
            "install dinostream with the extra: pip install '.[xgboost]'"
        ) from error
    model = XGBClassifier(n_estimators=200, max_depth=4, random_state=seed, n_jobs=0)
    model.fit(inputs, targets)
    scores: NDArray[np.float32] = model.predict_proba(others)
    return scores


class _Scaled:
    """Examples standardised, and of length one on average, so that a strength means the same
    everywhere; in the coordinates of their span where that is smaller."""

    def __init__(self, inputs: Inputs) -> None:
        deviation = inputs.std(axis=0, dtype=np.float64)
        floor = max(float(deviation.mean()) * 1e-3, float(np.finfo(np.float32).tiny))
        self._mean = inputs.mean(axis=0, dtype=np.float64)
        self._factor = 1 / np.maximum(deviation, floor) / inputs.shape[1] ** 0.5
        scaled = torch.from_numpy(((inputs - self._mean) * self._factor).astype(np.float32))
        self._span = Span.of(scaled) if pays(*scaled.shape) else None
        self.inputs = (self._span.inputs if self._span else scaled).numpy()

    def linear(self, model: Any) -> dict[str, Tensor]:
        """A fitted model's weights for windows as they come."""
        weight = torch.from_numpy(model.coef_)
        if self._span:
            weight = self._span.back(weight.float()).double()
        own = weight.numpy() * self._factor
        return _of_each_class(own, model.intercept_ - own @ self._mean)


def _of_each_class(weight: NDArray[np.float64], bias: NDArray[np.float64]) -> dict[str, Tensor]:
    if len(weight) == 1:  # of two classes scikit-learn keeps the difference alone
        weight, bias = np.concatenate([-weight, weight]) / 2, np.concatenate([-bias, bias]) / 2
    return {
        WEIGHT: torch.from_numpy(weight.astype(np.float32)),
        BIAS: torch.from_numpy(bias.astype(np.float32)),
    }
