"""What was measured of one head, in one shape for all tasks; as JSON values too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from operators.learn.dense_evaluation import DepthCurve
from operators.learn.estimate import Estimate
from operators.learn.reliability import Reliability
from pipeline.fit.under_condition import UnderCondition


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Numbers, and what its pictures are drawn from.

    Attributes:
        task: segmentation, depth, detect, action, classify or anomaly.
        what: the head that was measured.
        samples: pictures, frames or windows.
        groups: files or scenes that they are from; intervals are over these.
        estimates: name -> number.
        constant: the same numbers of the best answer that looks at nothing.
        labels: names of the classes; of depth none.
        confusion: int64 `[K, K]`, rows truth, columns answer.
        per_class: class id -> IoU, AP50, or share found.
        curve: how sure against how right; of depth, answers against truths.
        conditions: the same numbers of the same pictures under conditions.
        notes: what a user should be told.
        given_to_fit: how many of the groups the head's fit was given, None where nobody knows.
        caution: what has to be said before all else, "" where nothing has to.
    """

    task: str
    what: str
    samples: int
    groups: int
    estimates: Mapping[str, Estimate]
    constant: Mapping[str, Estimate]
    labels: tuple[str, ...] = ()
    confusion: NDArray[np.int64] | None = None
    per_class: Mapping[int, float] = field(default_factory=dict)
    curve: Reliability | DepthCurve | None = None
    conditions: tuple[UnderCondition, ...] = ()
    notes: tuple[str, ...] = ()
    given_to_fit: int | None = None
    caution: str = ""

    def plain(self) -> dict[str, Any]:
        """JSON values."""
        return {
            "task": self.task,
            "what": self.what,
            "samples": self.samples,
            "groups": self.groups,
            "estimates": {name: one.plain() for name, one in self.estimates.items()},
            "constant": {name: one.plain() for name, one in self.constant.items()},
            "labels": list(self.labels),
            "confusion": None if self.confusion is None else self.confusion.tolist(),
            "per_class": {
                self.labels[id_]: round(share, 6) for id_, share in self.per_class.items()
            },
            "curve": _curve(self.curve),
            "conditions": [one.plain() for one in self.conditions],
            "given_to_fit": self.given_to_fit,
            "notes": [*([self.caution] if self.caution else []), *self.notes],
        }


def _curve(curve: Reliability | DepthCurve | None) -> dict[str, Any] | None:
    if isinstance(curve, Reliability):
        return {
            "confidence": curve.confidence.round(6).tolist(),
            "accuracy": curve.accuracy.round(6).tolist(),
            "share": curve.share.round(6).tolist(),
        }
    if isinstance(curve, DepthCurve):
        return {
            "truth_m": curve.truth_m.round(4).tolist(),
            "answer_m": curve.answer_m.round(4).tolist(),
        }
    return None
