"""Clicks -> a linear segmentation head: logistic regression on single patches.

Judged by leaving out files in turn, where there are enough of them.
"""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.model_selection import GroupKFold

from operators.backbones.backbone import Backbone
from operators.errors import UsageError
from operators.learn.metrics import ClassScores, classification_scores
from operators.learn.segmentation_head import clicked_probabilities, segmentation_from_clicks
from operators.result import canonical_json
from pipeline.fit.clicks import Clicked
from pipeline.fit.dense_plan import Fit
from pipeline.fit.doubt import doubts
from pipeline.fit.mask_labels import named_labels
from pipeline.fit.provenance import provenance_facts, source_of
from pipeline.media.scaler import FILTER_NAME

_FOLDS = 5


def fit_clicks(clicked: Clicked, backbone: Backbone, *, short_side: int, seed: int = 0) -> Fit:
    """Train a head.

    Args:
        clicked: patches under the clicks.
        backbone: whose features they are.
        short_side: that they were seen at, pixels.
        seed: of the solver.

    Raises:
        UsageError: one class only.
    """
    names = sorted(set(clicked.labels))
    if len(names) < 2:
        raise UsageError(f"all clicks are {names[0]}: there is nothing to tell apart")
    ids = np.array([names.index(label) for label in clicked.labels])
    examples = torch.from_numpy(clicked.vectors)
    tensors = segmentation_from_clicks(examples, ids.tolist(), len(names), seed=seed)
    scores = _left_out(clicked, ids, len(names), seed)
    labels = named_labels(names, name="own")
    facts = {
        "backbone": backbone.loaded.sha256,
        "model": backbone.loaded.model.architecture.name,
        "labelset": labels.name,
        "labels": labels.records(),
        "metrics": _said(scores),
        "data": _sha256(clicked),
        **provenance_facts(map(source_of, clicked.files), rendered=False),
        "short_side": short_side,
        "filter": FILTER_NAME,
        "normalisation": backbone.loaded.model.architecture.statistics.name,
        "trained": {"what": "logistic regression on clicked patches", "patches": len(ids)},
    }
    unmeasured = ("the clicks of every file are needed for training: not measured",)
    notes = tuple(doubts(scores, kind="files")) if scores else unmeasured
    return Fit("segmentation", tensors, facts, notes)


def _left_out(
    clicked: Clicked, ids: NDArray[np.intp], classes: int, seed: int
) -> ClassScores | None:
    """Every patch judged by a head that saw no click of its file; None where a class would go."""
    files = np.array(clicked.files)
    if len(set(clicked.files)) < 2:
        return None
    scores = np.zeros((len(ids), classes))
    for train, test in GroupKFold(min(_FOLDS, len(set(clicked.files)))).split(ids, groups=files):
        if len(set(ids[train])) < classes:
            return None
        tensors = segmentation_from_clicks(
            torch.from_numpy(clicked.vectors[train]), ids[train].tolist(), classes, seed=seed
        )
        scores[test] = clicked_probabilities(tensors, torch.from_numpy(clicked.vectors[test]))
    return classification_scores(ids, scores, clicked.files, seed=seed)


def _said(scores: ClassScores | None) -> dict[str, Any]:
    return {} if scores is None else {n: one.plain() for n, one in scores.estimates.items()}


def _sha256(clicked: Clicked) -> str:
    digest = hashlib.sha256(canonical_json(list(clicked.labels)))
    digest.update(clicked.vectors.tobytes())
    return digest.hexdigest()
