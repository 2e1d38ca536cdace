"""Pictures with masks -> a linear segmentation head, judged on files that it did not see.

Knows nothing of the command line.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from torch import Tensor

from operators.backbones.architectures import Architecture
from operators.backbones.backbone import Backbone
from operators.errors import UsageError
from operators.learn.dense_answers import answers
from operators.learn.dense_evaluation import SegmentationQuality, evaluate_segmentation
from operators.learn.dense_pictures import DensePictures
from operators.learn.dense_split import dense_split
from operators.learn.dense_training import Schedule
from operators.learn.metrics import IGNORED
from operators.learn.segmentation_head import NormedPictures, fit_segmentation_head
from operators.segmentation.labelsets import LabelSet
from operators.segmentation.operator import Segmentation
from operators.weights.heads import Head
from pipeline.features.reading import Reading
from pipeline.fit.dense_data import DenseData
from pipeline.fit.dense_fit import (
    checkpoint_of,
    computed_data,
    norm_on_cpu,
    notes_of,
    said,
    shared_facts,
)
from pipeline.fit.dense_item import DenseItem
from pipeline.fit.dense_plan import DensePlan, Fit, Tell
from pipeline.fit.mask_labels import named_labels

SCHEDULE = Schedule()
_WHAT = "linear head on normalised patches, cross-entropy"


def fit_segmentation(
    items: Sequence[DenseItem],
    labels: LabelSet | None,
    backbone: Backbone,
    plan: DensePlan,
    *,
    blocks: Sequence[int] = (),
    tell: Tell,
) -> Fit:
    """Train a head.

    Args:
        items: pictures whose truths are class ids.
        labels: what ids mean; None: `class 0`, `class 1`, ... as far as ids go.
        backbone: frozen.
        plan: how.
        blocks: that it reads beside the last one, see `segmentation_blocks`.
        tell: told how far it is.

    Raises:
        UsageError: an id without a label, a class without a pixel, or one class only.
        SourceError: a file cannot be read; names it.
    """
    data = computed_data(items, backbone, plan, reading=Reading(tuple(blocks)), tell=tell)
    schedule = plan.schedule(SCHEDULE)
    held = classes_held(data, labels)
    known = labels or named_labels(_made_up(held), name="own")
    refuse_empty(held, known, all_must_show=not plan.rendered)
    split = dense_split(data.groups, held, share=plan.validation, seed=plan.seed)
    tensors, fitted = fit_segmentation_head(
        NormedPictures(data, norm_on_cpu(backbone)),
        split,
        len(known.labels),
        schedule=schedule,
        tell=lambda done, total: tell("training", done, total),
        checkpoint=checkpoint_of(
            data, plan, split, schedule=schedule, task="segmentation", classes=len(known.labels)
        ),
    )
    quality = None
    if split.validation:
        quality = measure_segmentation(
            data, split.validation, tensors, known, backbone, tell=tell, seed=plan.seed
        )
    measured = quality.scores if quality else None
    metrics = said(measured.estimates if measured else None, fitted.losses)
    facts = {
        "labelset": known.name,
        "labels": known.records(),
        "blocks": len(blocks) + 1,
        "metrics": metrics,
        **shared_facts(data, backbone, plan, split, schedule=schedule, what=_WHAT),
    }
    return Fit("segmentation", tensors, facts, notes_of(measured, plan))


def segmentation_blocks(arch: Architecture, count: int) -> tuple[int, ...]:
    """The blocks that a head over 1 or 4 of them reads beside the last one, upstream's."""
    if count > 1:
        arch.require_one_grid(f"a segmentation head over {count} blocks")
    return tuple(range(arch.depth - count, arch.depth - 1))


def measure_segmentation(
    data: DensePictures,
    chosen: Sequence[int],
    tensors: dict[str, Tensor],
    labels: LabelSet,
    backbone: Backbone,
    *,
    tell: Tell,
    seed: int = 0,
) -> SegmentationQuality:
    """Judge a head by the operator that will read it."""
    head = Head("segmentation", "this fit", tensors, "0" * 64)
    operator = Segmentation(head, backbone.loaded.model.architecture, labels)
    return evaluate_segmentation(
        data,
        chosen,
        answers(operator, operator.scores, norm_on_cpu(backbone)),
        seed=seed,
        tell=lambda done, total: tell("measuring", done, total),
    )


def classes_held(data: DenseData, labels: LabelSet | None) -> list[frozenset[int]]:
    """Which classes occur in each picture.

    Raises:
        UsageError: an id that has no label; names the picture.
    """
    held = []
    for truth, item in zip(data.truths(), data.items, strict=True):
        ids = frozenset(np.unique(truth).tolist()) - {IGNORED}
        if labels and ids and max(ids) >= len(labels.labels):
            raise UsageError(
                f"{item.name}: its mask has class {max(ids)}, the labels end at "
                f"{len(labels.labels) - 1}; 255 is for unlabelled pixels"
            )
        held.append(ids)
    return held


def refuse_empty(
    held: Sequence[frozenset[int]], labels: LabelSet, *, all_must_show: bool = True
) -> None:
    """A class that nothing shows cannot be learnt, and one class alone needs no head.

    Args:
        held: classes of each picture.
        labels: what they are.
        all_must_show: false for rendered scenes, whose labels are those of all scenes.

    Raises:
        UsageError: names the classes.
    """
    counts = Counter(id_ for own in held for id_ in own)
    empty = [label.name for label in labels.labels if not counts[label.id]]
    if empty and all_must_show:
        raise UsageError(
            f"no pixel of any mask is of class {', '.join(empty)}; leave it out of the labels, or "
            "give pictures that show it"
        )
    if len(counts) < 2:
        raise UsageError(
            f"the masks hold one class only, {labels.labels[0].name}: there is nothing to tell "
            "apart (255 counts as unlabelled)"
        )


def _made_up(held: Sequence[frozenset[int]]) -> list[str]:
    highest = max((max(own) for own in held if own), default=0)
    return [f"class {id_}" for id_ in range(highest + 1)]
