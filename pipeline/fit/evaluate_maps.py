"""A segmentation, depth or detection head and pictures with truths in -> its evaluation out.

Judged by the operator that replay runs. Knows nothing of the command line.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from operators.backbones.backbone import Backbone
from operators.conditions.condition import Condition
from operators.depth.operator import Depth
from operators.detect.operator import Detect
from operators.errors import UsageError
from operators.learn.dense_answers import answers
from operators.learn.dense_evaluation import (
    DepthQuality,
    SegmentationQuality,
    evaluate_depth,
    evaluate_segmentation,
    median_depth,
)
from operators.learn.dense_pictures import DensePicture
from operators.learn.detection_metrics import DetectionScores
from operators.operator import Operator
from operators.segmentation.labelsets import LabelSet
from operators.segmentation.operator import Segmentation
from pipeline.features.reading import Reading
from pipeline.fit.conditioned import beside_themselves
from pipeline.fit.dense_data import DenseData
from pipeline.fit.dense_fit import computed_data, norm_on_cpu
from pipeline.fit.dense_item import DenseItem
from pipeline.fit.dense_plan import DensePlan, Tell
from pipeline.fit.evaluation import Evaluation
from pipeline.fit.fit_detect import small_things, without_masks
from pipeline.fit.fit_segmentation import classes_held
from pipeline.fit.measure_detect import measure_detect
from pipeline.fit.provenance import held_against
from pipeline.fit.under_condition import under_condition

_SURE = 30.0  # a logit that leaves no doubt


def evaluate_maps(
    operator: Operator,
    items: Sequence[DenseItem],
    backbone: Backbone,
    plan: DensePlan,
    *,
    header: Mapping[str, Any],
    what: str,
    tell: Tell,
    labels: LabelSet | None = None,
    conditions: Sequence[Condition] = (),
) -> Evaluation:
    """Measure a head.

    Args:
        operator: `Segmentation`, `Detect`, or `Depth` in metres.
        items: pictures with truths of its kind; with masks where it tells those of things.
        backbone: keeps the blocks that the operator reads.
        plan: size, cache and seed.
        header: of the head, empty where it has none.
        what: the head's name for people.
        tell: told how far it is.
        labels: what the classes of things are in these truths.
        conditions: that the pictures are put under as well, for maps of classes and of metres.

    Raises:
        UsageError: the operator's answers cannot be measured against these truths.
        SourceError: a file cannot be read; names it.
    """
    if isinstance(operator, Detect) and labels:
        ids = known_ids(labels, operator.labels, what)
    reading = Reading(tuple(operator.layers), normed=not isinstance(operator, Depth))
    masks = isinstance(operator, Detect) and operator.tells_masks
    pictures = beside_themselves(items, conditions, seed=plan.seed)
    data = computed_data(pictures, backbone, plan, reading=reading, tell=tell, masks=masks)
    norm = norm_on_cpu(backbone)
    if isinstance(operator, Segmentation):
        read = answers(operator, operator.scores, norm)
        measured = _of_segmentation(
            operator, read, data, conditions, what=what, seed=plan.seed, tell=tell
        )
        return held_against(measured, data.groups, header)
    if isinstance(operator, Depth):
        read = answers(operator, operator.metres, norm)
        measured = _of_depth(operator, read, data, conditions, what=what, seed=plan.seed, tell=tell)
        return held_against(measured, data.groups, header)
    if isinstance(operator, Detect) and labels:
        scores = measure_detect(
            data, range(len(items)), operator, backbone, ids=ids, tell=tell, seed=plan.seed
        )
        return held_against(_of_things(operator, scores, data, what), data.groups, header)
    raise UsageError(
        f"{what}: it says relative depth without a unit, which has no error in metres; "
        "`dinostream calibrate` gives a camera's scale"
    )


def _of_segmentation(
    operator: Segmentation,
    read: Callable[[DensePicture], Tensor],
    data: DenseData,
    conditions: Sequence[Condition],
    *,
    what: str,
    seed: int,
    tell: Tell,
) -> Evaluation:
    labels = operator.labels
    classes_held(data, labels)
    every, *others = _rows(data, conditions)

    def measured(rows: Sequence[int]) -> SegmentationQuality:
        told = partial(tell, "measuring")
        return evaluate_segmentation(data, rows, read, seed=seed, tell=told)

    quality = measured(every)
    scores = quality.scores
    most = int(scores.confusion.sum(axis=1).argmax())
    always = torch.zeros(1, 1, len(labels.labels))
    always[..., most] = _SURE
    constant = evaluate_segmentation(data, every, lambda _: always, seed=seed).scores
    return Evaluation(
        "segmentation",
        what,
        len(every),
        scores.groups,
        scores.estimates,
        constant.estimates,
        labels=tuple(label.name for label in labels.labels),
        confusion=scores.confusion,
        per_class=scores.per_class,
        curve=quality.curve,
        conditions=tuple(
            under_condition(one, scores, measured(rows).scores, seed=seed)
            for one, rows in zip(conditions, others, strict=True)
        ),
        notes=(f"the constant answer is {labels.labels[most].name} everywhere",),
    )


def _rows(data: DenseData, conditions: Sequence[Condition]) -> list[range]:
    """Which pictures are as they are, and which are under each condition."""
    step = 1 + len(conditions)
    return [range(first, len(data.items), step) for first in range(step)]


def known_ids(labels: LabelSet, known: LabelSet, what: str) -> list[int]:
    """What a head calls the classes of some data, by their names.

    Raises:
        UsageError: it does not know one.
    """
    ids = {label.name: label.id for label in known.labels}
    strange = [label.name for label in labels.labels if label.name not in ids]
    if strange:
        raise UsageError(
            f"{what} does not know {', '.join(strange)} of these data; it knows {', '.join(ids)}"
        )
    return [ids[label.name] for label in labels.labels]


def _of_things(operator: Detect, scores: DetectionScores, data: DenseData, what: str) -> Evaluation:
    return Evaluation(
        "detect",
        what,
        len(data.items),
        scores.groups,
        scores.estimates,
        {},
        labels=tuple(label.name for label in operator.labels.labels),
        per_class=scores.per_class,
        notes=(
            f"{scores.things} things that count",
            *small_things(data),
            *without_masks(data),
        ),
    )


def _of_depth(
    operator: Depth,
    read: Callable[[DensePicture], Tensor],
    data: DenseData,
    conditions: Sequence[Condition],
    *,
    what: str,
    seed: int,
    tell: Tell,
) -> Evaluation:
    every, *others = _rows(data, conditions)
    range_m = operator.range_m

    def measured(rows: Sequence[int]) -> DepthQuality:
        told = partial(tell, "measuring")
        return evaluate_depth(data, rows, read, range_m, seed=seed, tell=told)

    quality = measured(every)
    middle = median_depth(data, every, range_m)
    constant = evaluate_depth(data, every, lambda _: torch.full((1, 1), middle), range_m).scores
    beyond = _beyond(data, range_m[1])
    notes = [f"the constant answer is {middle:.2f} m everywhere, the median of these very data"]
    if beyond:
        notes.append(f"{beyond:.1%} of the known depth is beyond {range_m[1]:g} m: not counted")
    return Evaluation(
        "depth",
        what,
        quality.pictures,
        quality.scores.groups,
        quality.scores.estimates,
        constant.estimates,
        curve=quality.curve,
        conditions=tuple(
            under_condition(one, quality.scores, measured(rows).scores, seed=seed)
            for one, rows in zip(conditions, others, strict=True)
        ),
        notes=tuple(notes),
    )


def _beyond(data: DenseData, most_m: float) -> float:
    known = over = 0
    for truth in data.truths():
        known += int(np.count_nonzero(truth > 0))
        over += int(np.count_nonzero(truth > most_m))
    return over / max(known, 1)
