"""Footage on which nothing is wrong -> a head that tells what has not been at its place before.

What is learnt from, what chooses the threshold and what measures false alarms are different
recordings. Knows nothing of the command line.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from operators.anomaly.memory import PROTOTYPES
from operators.anomaly.operator import Anomaly
from operators.anomaly.summary import frame_score, to_steps
from operators.backbones.backbone import Backbone
from operators.backbones.thread_pool import stay_on_one_core
from operators.frames import Features, FrameInfo
from operators.learn.alarms import alarm_count, hourly_rate
from operators.learn.estimate import Estimate
from operators.learn.k_centre import k_centres
from operators.weights.heads import Head
from pipeline.features.store import FeatureStore
from pipeline.fit.dense_plan import Fit, Tell
from pipeline.fit.fitting import data_sha256
from pipeline.fit.normal_footage import NormalFootage, normal_footage
from pipeline.fit.provenance import provenance_facts, source_of
from pipeline.media.scaler import FILTER_NAME

_INFO = FrameInfo.of_picture()
_WHAT = "greedy k-centre of each place's patches"


@dataclass(frozen=True, slots=True)
class AnomalyPlan:
    """How a memory is made.

    Attributes:
        cache: folder of computed features.
        short_side: of a frame at the backbone, pixels.
        fps: frames per second of media time that are looked at.
        prototypes: of each place.
        quantile: of the scores of recordings put aside, at which the threshold is.
        seed: which recordings those are.
    """

    cache: Path
    short_side: int
    fps: float = 1.0
    prototypes: int = 8
    quantile: float = 0.999
    seed: int = 0


def fit_anomaly(
    recordings: Sequence[str], backbone: Backbone, plan: AnomalyPlan, *, tell: Tell
) -> Fit:
    """Make a head.

    Args:
        recordings: of one still camera, on which nothing is wrong.
        backbone: frozen.
        plan: how.
        tell: told how far it is.

    Raises:
        UsageError: recordings that cannot be divided, or of several shapes.
        SourceError: one cannot be decoded; names it.
    """
    with closing(FeatureStore(plan.cache, backbone, short_side=plan.short_side)) as store:
        footage = normal_footage(
            recordings, store, backbone, fps=plan.fps, seed=plan.seed, tell=tell
        )
        stay_on_one_core()
        centres = k_centres(
            footage.learnt,
            plan.prototypes,
            tell=lambda done: tell("prototypes", done, plan.prototypes),
        )
        tensors = {PROTOTYPES: centres.half()}
        told = _Told(tensors, backbone)
        aside = [told.of(footage, index) for index in footage.parts.validation]
        threshold = _quantile([scores for _, scores in aside], plan.quantile)
        part, judges = footage.parts.judged
        judged = aside if part == "validation" else [told.of(footage, index) for index in judges]
    alarms = _alarms(judged, threshold, plan.fps)
    facts = {
        "backbone": backbone.loaded.sha256,
        "model": backbone.loaded.model.architecture.name,
        "grid": list(footage.grid_hw),
        "threshold": threshold,
        "quantile": plan.quantile,
        "short_side": plan.short_side,
        "filter": FILTER_NAME,
        "normalisation": backbone.loaded.model.architecture.statistics.name,
        "data": data_sha256([one] for one in set(footage.contents)),
        **provenance_facts(map(source_of, recordings), rendered=footage.rendered),
        "metrics": {
            "false_alarms_per_hour": alarms.plain(),
            "measured_on": f"{part}, {len(judged)} files, {_hours(judged, plan.fps):.3g} h",
        },
        "trained": {"what": _WHAT, "files": len(footage.parts.train), "frames_per_s": plan.fps},
    }
    return Fit("anomaly", tensors, facts, tuple(_notes(footage, aside, plan, threshold)))


class _Told:
    """Scores of footage, told by the operator that will read the head."""

    def __init__(self, tensors: dict[str, torch.Tensor], backbone: Backbone) -> None:
        head = Head("anomaly", "this fit", tensors, "0" * 64)
        self._operator = Anomaly(head, backbone.loaded.model.architecture, threshold=2.0)

    def of(self, footage: NormalFootage, index: int) -> tuple[NDArray[Any], NDArray[Any]]:
        """Times and scores of a recording's frames, float64 `[n]`."""
        times, scores = [], []
        for grids in footage.grids(index):
            patches = torch.from_numpy(grids.patches)
            for row in range(len(patches)):
                own = patches[row : row + 1]
                features = Features((_INFO,), own[:, 0, 0], own)
                distances, _ = self._operator.compute(features, slice(1))
                scores.append(frame_score(to_steps(distances[0].numpy())))
            times.append(grids.times_s)
        return np.concatenate(times), np.array(scores)


def _quantile(scores: Sequence[NDArray[np.float64]], quantile: float) -> float:
    """A score that there is: the lowest that so much of all is not above."""
    return float(np.quantile(np.concatenate(scores), quantile, method="inverted_cdf"))


def _alarms(
    judged: Sequence[tuple[NDArray[Any], NDArray[Any]]], threshold: float, fps: float
) -> Estimate:
    alarms = sum(alarm_count(times_s, scores > threshold) for times_s, scores in judged)
    return hourly_rate(alarms, _hours(judged, fps))


def _hours(judged: Sequence[tuple[NDArray[Any], NDArray[Any]]], fps: float) -> float:
    """By how far apart frames really are: footage may have fewer than `fps`. A gap is no time that
    was watched."""
    return sum(len(times_s) * _apart_s(times_s, fps) for times_s, _ in judged) / 3600


def _apart_s(times_s: NDArray[Any], fps: float) -> float:
    return float(np.median(np.diff(times_s))) if len(times_s) > 1 else 1 / fps


def _notes(
    footage: NormalFootage,
    aside: Sequence[tuple[NDArray[Any], NDArray[Any]]],
    plan: AnomalyPlan,
    threshold: float,
) -> list[str]:
    """What a user should be told."""
    frames, parts = sum(len(scores) for _, scores in aside), footage.parts
    notes = [
        f"threshold {threshold:.4f}: {100 * plan.quantile:g} % of {frames} frames of {len(aside)} "
        f"files put aside are not above it; learnt from {len(parts.train)} files",
    ]
    if plan.quantile < 1 and frames * (1 - plan.quantile) < 1:
        notes.append(
            f"WARNING: {frames} frames cannot tell that quantile: the threshold is their highest "
            "score; more normal footage, or a lower --quantile"
        )
    if not len(parts.test):
        notes.append(
            "WARNING: fewer than 5 files: false alarms are counted on those that chose the "
            "threshold, so their rate is flattered"
        )
    return notes
