"""A segmentation or depth head and pictures with truths in -> its evaluation out.

Judged by the operator that replay runs. Knows nothing of the command line.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from operators.backbones.backbone import Backbone
from operators.backbones.thread_pool import stay_on_one_core
from operators.depth.operator import Depth
from operators.errors import UsageError
from operators.learn.dense_answers import answers
from operators.learn.dense_evaluation import evaluate_depth, evaluate_segmentation, median_depth
from operators.learn.dense_pictures import DensePicture
from operators.operator import Operator
from operators.segmentation.operator import Segmentation
from pipeline.fit.dense_fit import norm_on_cpu
from pipeline.fit.dense_item import DenseItem
from pipeline.fit.dense_plan import DensePlan, Tell
from pipeline.fit.dense_store import DenseStore, Reading
from pipeline.fit.evaluation import Evaluation
from pipeline.fit.fit_segmentation import classes_held

_SURE = 30.0  # a logit that leaves no doubt


def evaluate_maps(
    operator: Operator,
    items: Sequence[DenseItem],
    backbone: Backbone,
    plan: DensePlan,
    *,
    what: str,
    tell: Tell,
) -> Evaluation:
    """Measure a head.

    Args:
        operator: `Segmentation`, or `Depth` in metres.
        items: pictures with truths of its kind.
        backbone: keeps the blocks that the operator reads.
        plan: size, cache and seed.
        what: the head's name for people.
        tell: told how far it is.

    Raises:
        UsageError: the operator's answers cannot be measured against these truths.
        SourceError: a file cannot be read; names it.
    """
    store = DenseStore(
        plan.cache,
        backbone,
        items,
        short_side=plan.short_side,
        reading=Reading(tuple(operator.layers), normed=isinstance(operator, Segmentation)),
    )
    store.compute(lambda done, total: tell("features", done, total))
    stay_on_one_core()  # where the cache held all of it, too: the same sums, and no barriers
    norm = norm_on_cpu(backbone)
    if isinstance(operator, Segmentation):
        read = answers(operator, operator.scores, norm)
        return _of_segmentation(operator, read, store, what=what, seed=plan.seed, tell=tell)
    if isinstance(operator, Depth):
        read = answers(operator, operator.metres, norm)
        return _of_depth(operator, read, store, what=what, seed=plan.seed, tell=tell)
    raise UsageError(
        f"{what}: it says relative depth without a unit, which has no error in metres; "
        "`dinostream calibrate` gives a camera's scale"
    )


def _of_segmentation(
    operator: Segmentation,
    read: Callable[[DensePicture], Tensor],
    store: DenseStore,
    *,
    what: str,
    seed: int,
    tell: Tell,
) -> Evaluation:
    labels = operator.labels
    classes_held(store, labels)
    every = range(len(store.items))
    quality = evaluate_segmentation(
        store, every, read, seed=seed, tell=lambda done, total: tell("measuring", done, total)
    )
    scores = quality.scores
    most = int(scores.confusion.sum(axis=1).argmax())
    always = torch.zeros(1, 1, len(labels.labels))
    always[..., most] = _SURE
    constant = evaluate_segmentation(store, every, lambda _: always, seed=seed).scores
    return Evaluation(
        "segmentation",
        what,
        len(store.items),
        scores.groups,
        scores.estimates,
        constant.estimates,
        labels=tuple(label.name for label in labels.labels),
        confusion=scores.confusion,
        per_class=scores.per_class,
        curve=quality.curve,
        notes=(f"the constant answer is {labels.labels[most].name} everywhere",),
    )


def _of_depth(
    operator: Depth,
    read: Callable[[DensePicture], Tensor],
    store: DenseStore,
    *,
    what: str,
    seed: int,
    tell: Tell,
) -> Evaluation:
    every = range(len(store.items))
    range_m = operator.range_m
    quality = evaluate_depth(
        store,
        every,
        read,
        range_m,
        seed=seed,
        tell=lambda done, total: tell("measuring", done, total),
    )
    middle = median_depth(store, every, range_m)
    constant = evaluate_depth(store, every, lambda _: torch.full((1, 1), middle), range_m)
    beyond = _beyond(store, range_m[1])
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


def _beyond(store: DenseStore, most_m: float) -> float:
    known = over = 0
    for truth in store.truths():
        known += int(np.count_nonzero(truth > 0))
        over += int(np.count_nonzero(truth > most_m))
    return over / max(known, 1)
