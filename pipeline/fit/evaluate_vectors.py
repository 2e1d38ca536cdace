"""An action or classify head and labelled windows in -> its evaluation out.

Judged by the formulas of the operators. Knows nothing of where windows come from.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from torch import Tensor

from operators.errors import UsageError
from operators.learn.examples import Examples
from operators.learn.metrics import classification_scores
from operators.learn.reliability import reliability
from operators.learn.scoring import head_scores
from pipeline.fit.evaluation import Evaluation
from pipeline.fit.provenance import held_against


def evaluate_vectors(
    task: str,
    tensors: Mapping[str, Tensor],
    facts: Mapping[str, Any],
    examples: Examples,
    *,
    what: str,
    seed: int = 0,
) -> Evaluation:
    """Measure a head on every window.

    Args:
        task: action or classify.
        tensors: of the head file.
        facts: its header.
        examples: the windows; their classes are those of the head.
        what: the head's name for people.
        seed: of the bootstrap.

    Raises:
        UsageError: the head's classes are others.
    """
    names = tuple(facts["labels"])
    if names != examples.labels:
        raise UsageError(
            f"{what} knows {', '.join(names)}; the data are {', '.join(examples.labels)}"
        )
    scores = head_scores(tensors, facts, examples)
    targets = examples.targets
    measured = classification_scores(targets, scores, examples.groups, seed=seed)
    most = int(np.bincount(targets, minlength=len(names)).argmax())
    always = np.zeros_like(scores)
    always[:, most] = 1.0
    constant = classification_scores(targets, always, examples.groups, seed=seed)
    evaluation = Evaluation(
        task,
        what,
        len(targets),
        measured.groups,
        measured.estimates,
        {name: one for name, one in constant.estimates.items() if name != "calibration_error"},
        labels=names,
        confusion=measured.confusion,
        per_class=measured.per_class,
        curve=reliability(scores.max(axis=1), scores.argmax(axis=1) == targets),
        notes=(
            f"the constant answer is always {names[most]}; chance is {1 / len(names):.3f}",
            *_silence(scores, targets, facts),
        ),
    )
    return held_against(evaluation, examples.groups, facts)


def _silence(scores: Any, targets: Any, facts: Mapping[str, Any]) -> list[str]:
    """What its thresholds do: how often it says anything, and how often that is right."""
    cuts = facts.get("thresholds")
    if cuts is None:
        return []
    above = scores >= np.asarray(cuts)
    speaks = above.any(axis=1)
    if not speaks.any():
        return ["above its thresholds it says nothing about any of them"]
    answer = np.where(above, scores, -1.0).argmax(axis=1)
    right = float((answer == targets)[speaks].mean())
    return [f"above its thresholds it speaks of {speaks.mean():.1%} and is right in {right:.1%}"]
