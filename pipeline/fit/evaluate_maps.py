"""A segmentation, depth or detection head and pictures with truths in -> its evaluation out.

Judged by the operator that replay runs. Knows nothing of the command line.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from operators.backbones.backbone import Backbone
from operators.depth.operator import Depth
from operators.detect.operator import Detect
from operators.errors import UsageError
from operators.learn.dense_answers import answers
from operators.learn.dense_evaluation import evaluate_depth, evaluate_segmentation, median_depth
from operators.learn.dense_pictures import DensePicture
from operators.learn.detection_metrics import DetectionScores
from operators.operator import Operator
from operators.segmentation.labelsets import LabelSet
from operators.segmentation.operator import Segmentation
from pipeline.features.reading import Reading
from pipeline.fit.dense_data import DenseData
from pipeline.fit.dense_fit import computed_data, norm_on_cpu
from pipeline.fit.dense_item import DenseItem
from pipeline.fit.dense_plan import DensePlan, Tell
from pipeline.fit.evaluation import Evaluation
from pipeline.fit.fit_detect import small_things, without_masks
from pipeline.fit.fit_segmentation import classes_held
from pipeline.fit.measure_detect import measure_detect
from pipeline.fit.provenance import held_against

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

    Raises:
        UsageError: the operator's answers cannot be measured against these truths.
        SourceError: a file cannot be read; names it.
    """
    if isinstance(operator, Detect) and labels:
        ids = known_ids(labels, operator.labels, what)
    reading = Reading(tuple(operator.layers), normed=not isinstance(operator, Depth))
    masks = isinstance(operator, Detect) and operator.tells_masks
    data = computed_data(items, backbone, plan, reading=reading, tell=tell, masks=masks)
    norm = norm_on_cpu(backbone)
    if isinstance(operator, Segmentation):
        read = answers(operator, operator.scores, norm)
        measured = _of_segmentation(operator, read, data, what=what, seed=plan.seed, tell=tell)
        return held_against(measured, data.groups, header)
    if isinstance(operator, Depth):
        read = answers(operator, operator.metres, norm)
        measured = _of_depth(operator, read, data, what=what, seed=plan.seed, tell=tell)
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
    *,
    what: str,
    seed: int,
    tell: Tell,
) -> Evaluation:
    labels = operator.labels
    classes_held(data, labels)
    every = range(len(data.items))
    quality = evaluate_segmentation(
        data, every, read, seed=seed, tell=lambda done, total: tell("measuring", done, total)
    )
    scores = quality.scores
    most = int(scores.confusion.sum(axis=1).argmax())
    always = torch.zeros(1, 1, len(labels.labels))
    always[..., most] = _SURE
    constant = evaluate_segmentation(data, every, lambda _: always, seed=seed).scores
    return Evaluation(
        "segmentation",
        what,
        len(data.items),
        scores.groups,
        scores.estimates,
        constant.estimates,
        labels=tuple(label.name for label in labels.labels),
        confusion=scores.confusion,
        per_class=scores.per_class,
        curve=quality.curve,
        notes=(f"the constant answer is {labels.labels[most].name} everywhere",),
    )


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
    *,
    what: str,
    seed: int,
    tell: Tell,
) -> Evaluation:
    every = range(len(data.items))
    range_m = operator.range_m
    quality = evaluate_depth(
        data,
        every,
        read,
        range_m,
        seed=seed,
        tell=lambda done, total: tell("measuring", done, total),
    )
    middle = median_depth(data, every, range_m)
    constant = evaluate_depth(data, every, lambda _: torch.full((1, 1), middle), range_m)
    beyond = _beyond(data, range_m[1])
    notes = [f"the constant answer is {middle:.2f} m everywhere, the median of these very data"]
    if beyond:
        notes.append(f"{beyond:.1%} of the known depth is beyond {range_m[1]:g} m: not counted")
    return Evaluation(
        "depth",
        what,
        quality.pictures,
        quality.groups,
        quality.estimates,
        constant.estimates,
        curve=quality.curve,
        notes=tuple(notes),
    )


def _beyond(data: DenseData, most_m: float) -> float:
    known = over = 0
    for truth in data.truths():
        known += int(np.count_nonzero(truth > 0))
        over += int(np.count_nonzero(truth > most_m))
    return over / max(known, 1)
