"""Pictures with boxes, and maybe masks -> a head that finds such things, judged on files that it
did not see.

Knows nothing of the command line.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from operators.backbones.backbone import Backbone
from operators.detect.decoder import DecoderShape, decoder_blocks
from operators.errors import UsageError
from operators.learn.dense_split import dense_split
from operators.learn.dense_training import Schedule
from operators.learn.detect_head import fit_detect_head
from operators.learn.segmentation_head import NormedPictures
from operators.segmentation.labelsets import LabelSet
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
from pipeline.fit.dense_item import ThingItem
from pipeline.fit.dense_plan import DensePlan, Fit, Tell
from pipeline.fit.measure_detect import built, measure_detect

SCHEDULE = Schedule(steps=3000, batch=16, rate=1e-3)
THRESHOLD = 0.5  # where no picture was put aside to choose one by
MASK_WIDTH = 32  # numbers of a cell, where masks are learnt
_WHAT = "decoder of boxes on four blocks, set prediction"
_WITH_MASKS = "decoder of boxes and masks on four blocks, set prediction"


def fit_detect(
    items: Sequence[ThingItem],
    labels: LabelSet,
    backbone: Backbone,
    plan: DensePlan,
    *,
    shape: DecoderShape,
    tell: Tell,
) -> Fit:
    """Train a head.

    Args:
        items: pictures whose truths are things; their masks are learnt where the shape has some.
        labels: what their class ids mean.
        backbone: frozen; keeps the blocks that decoders read.
        plan: how.
        shape: of the decoder.
        tell: told how far it is.

    Raises:
        UsageError: no picture shows anything.
        SourceError: a file cannot be read; names it.
    """
    reading = Reading(decoder_blocks(backbone.loaded.model.architecture))
    masks = shape.mask_width > 0
    data = computed_data(items, backbone, plan, reading=reading, tell=tell, masks=masks)
    schedule = plan.schedule(SCHEDULE)
    held = [frozenset(truth[truth[:, 5] == 0, 0].astype(int).tolist()) for truth in data.truths()]
    if not any(held):
        raise UsageError("no picture shows a thing that counts, so there is nothing to learn")
    split = dense_split(data.groups, held, share=plan.validation, seed=plan.seed)
    tensors, fitted = fit_detect_head(
        NormedPictures(data, norm_on_cpu(backbone)),
        split,
        len(labels.labels),
        shape=shape,
        schedule=schedule,
        tell=lambda done, total: tell("training", done, total),
        checkpoint=checkpoint_of(
            data, plan, split, schedule=schedule, task="detect", shape=shape.plain(),
            classes=len(labels.labels),
        ),
    )  # fmt: skip
    scores = None
    if split.validation:
        head = Head("detect", "this fit", tensors, "0" * 64)
        operator = built(head, labels, backbone, shape)
        scores = measure_detect(
            data, split.validation, operator, backbone, tell=tell, seed=plan.seed
        )
    what = _WITH_MASKS if masks else _WHAT
    facts = {
        "labelset": labels.name,
        "labels": labels.records(),
        "decoder": shape.plain(),
        "thresholds": scores.thresholds if scores else [THRESHOLD] * len(labels.labels),
        "metrics": said(scores.estimates if scores else None, fitted.losses),
        **shared_facts(data, backbone, plan, split, schedule=schedule, what=what),
    }
    notes = (*notes_of(scores, plan), *small_things(data), *without_masks(data))
    return Fit("detect", tensors, facts, notes)


def learns_masks(items: Sequence[ThingItem], asked: bool | None) -> bool:
    """Whether a head of such pictures gets masks: where they have some, unless a user says.

    Raises:
        UsageError: asked for, and no thing has one.
    """
    some = any(item.has_masks for item in items)
    if asked and not some:
        raise UsageError(
            "masks were asked for, and no thing of these pictures has one; give COCO's JSON with "
            "segmentations, or rendered scenes"
        )
    return some if asked is None else asked


def without_masks(data: DenseData) -> tuple[str, ...]:
    """A thing without a mask, or of one that no pixel is left of, is still a box."""
    if not data.with_masks:
        return ()
    bare = whole = 0
    for index, truth in enumerate(data.truths()):
        counts = truth[:, 5] == 0
        bare += int((counts & ~data.masks(index).any(axis=(1, 2))).sum())
        whole += int(counts.sum())
    if not bare:
        return ()
    return (
        f"{bare} of {whole} things have no mask, or one without area at this size: they count as "
        "boxes alone",
    )


def small_things(data: DenseData) -> tuple[str, ...]:
    """A thing of less than a patch is hardly seen, which a larger picture would change."""
    small = whole = 0
    for truth, (rows, columns) in zip(data.truths(), data.grids, strict=True):
        own = truth[truth[:, 5] == 0, 1:5]
        patches = (own[:, 2:] - own[:, :2]) * np.array([columns, rows])
        small += int((patches.max(axis=1, initial=0) < 1).sum())
        whole += len(own)
    if not small:
        return ()
    return (
        f"{small} of {whole} things are smaller than a patch of the backbone: hardly seen; a "
        "larger --short-side shows more of them",
    )
