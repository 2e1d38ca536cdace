"""What heads lose by a trip: features as they were and as they come back -> scores of both."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.archive.footage import Seen
from operators.action.operator import Action
from operators.depth.operator import Depth
from operators.frames import Features
from operators.learn.depth_metrics import depth_errors
from operators.learn.metrics import picture_confusion, segmentation_scores
from operators.segmentation.operator import Segmentation

Change = Callable[[Features], Features]


@dataclass(frozen=True, slots=True)
class Answers:
    """Of the heads, of all frames of some scenes.

    Attributes:
        depth_m: `[n, h, w]`.
        classes: `[n, h, w]`.
        actions: label of every window, scene by scene.
    """

    depth_m: NDArray[np.float32]
    classes: NDArray[np.uint8]
    actions: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Scores:
    """Beside the truth, and beside what the heads say of the features as they were.

    Attributes:
        abs_rel, abs_rel_direct: of depth.
        miou, miou_direct: of segmentation.
        action, action_direct: share of windows with the right label; _direct: with the same one.
    """

    abs_rel: float
    abs_rel_direct: float
    miou: float
    miou_direct: float
    action: float
    action_direct: float

    def to_json(self) -> dict[str, float]:
        return {name: round(value, 5) for name, value in asdict(self).items()}


def answers(
    scenes: Sequence[Seen],
    heads: tuple[Depth, Segmentation, Action],
    change: Change | None = None,
) -> Answers:
    """What heads say of changed features."""
    depth, segmentation, action = heads
    metres, classes, said = [], [], []
    for scene in scenes:
        records = []
        for features in scene.batches:
            changed = change(features) if change else features
            rows = slice(0, len(features.infos))
            metres.append(depth.metres(changed, rows).numpy())
            classes.append(segmentation.scores(changed, rows).argmax(-1).numpy().astype(np.uint8))
            records += action(changed)
        records += action.reset(scene.scene.name, "end")
        told = [json.loads(one.data) for one in records if one.operator == "action"]
        said.append(tuple(_label(one) for one in told if not one["partial"]))
    return Answers(np.concatenate(metres), np.concatenate(classes), tuple(said))


def as_it_is(features: Features) -> Features:
    """Changes nothing."""
    return features


def scores(scenes: Sequence[Seen], direct: Answers, kept: Answers, depth: Depth) -> Scores:
    """Of answers that came of a trip, beside the direct ones."""
    truth_m = np.concatenate([one.scene.depth_m for one in scenes])
    truth = np.concatenate([one.scene.classes for one in scenes])
    true = [(one.scene.action,) * len(own) for one, own in zip(scenes, direct.actions, strict=True)]
    return Scores(
        _abs_rel(truth_m, kept.depth_m, depth.range_m),
        float(np.mean(np.abs(kept.depth_m - direct.depth_m) / direct.depth_m)),
        _miou(truth, kept.classes),
        _miou(direct.classes, kept.classes),
        _same(true, kept.actions),
        _same(direct.actions, kept.actions),
    )


def _label(window: Mapping[str, Any]) -> str:
    """The likeliest that is said of a window; "" where none is likely enough."""
    return str(window["labels"][0]["name"]) if window["labels"] else ""


def _abs_rel(
    truth_m: NDArray[np.float32], answer_m: NDArray[np.float32], range_m: tuple[float, float]
) -> float:
    found = [
        depth_errors(truth, answer, range_m)
        for truth, answer in zip(truth_m, answer_m, strict=True)
    ]
    return float(np.mean([one.abs_rel for one in found if one]))


def _miou(truth: NDArray[np.uint8], answer: NDArray[np.uint8]) -> float:
    count = int(max(truth[truth < 255].max(), answer.max())) + 1
    confusion = picture_confusion(truth, answer, count)
    return float(segmentation_scores(confusion[None]).estimates["miou"].value)


def _same(one: Sequence[Sequence[str]], other: Sequence[Sequence[str]]) -> float:
    pairs = [pair for own in zip(one, other, strict=True) for pair in zip(*own, strict=True)]
    return sum(first == second for first, second in pairs) / len(pairs)
