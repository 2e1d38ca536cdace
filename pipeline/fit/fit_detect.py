"""Pictures with boxes -> a head that finds such things, judged on files that it did not see.

Knows nothing of the command line.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from operators.backbones.backbone import Backbone
from operators.detect.box_finder import BoxFinder
from operators.detect.decoder import DecoderShape, decoder_blocks
from operators.detect.operator import Detect
from operators.errors import UsageError
from operators.frames import Features
from operators.learn.dense_answers import answers
from operators.learn.dense_split import dense_split
from operators.learn.dense_training import Schedule
from operators.learn.detect_head import fit_detect_head
from operators.learn.detection_metrics import DetectionScores, Found, detection_scores
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
from pipeline.fit.dense_item import DenseItem
from pipeline.fit.dense_plan import DensePlan, Fit, Tell

SCHEDULE = Schedule(steps=3000, batch=16, rate=1e-3)
THRESHOLD = 0.5  # where no picture was put aside to choose one by
_WHAT = "decoder of boxes on four blocks, set prediction"


def fit_detect(
    items: Sequence[DenseItem],
    labels: LabelSet,
    backbone: Backbone,
    plan: DensePlan,
    *,
    shape: DecoderShape,
    tell: Tell,
) -> Fit:
    """Train a head.

    Args:
        items: pictures whose truths are things.
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
    data = computed_data(items, backbone, plan, reading=reading, tell=tell)
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
            data, plan, split, schedule=schedule, task="detect", shape=asdict(shape),
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
    facts = {
        "labelset": labels.name,
        "labels": labels.records(),
        "decoder": asdict(shape),
        "thresholds": scores.thresholds if scores else [THRESHOLD] * len(labels.labels),
        "metrics": said(scores.estimates if scores else None, fitted.losses),
        **shared_facts(data, backbone, plan, split, schedule=schedule, what=_WHAT),
    }
    notes = (*notes_of(scores, plan), *small_things(data))
    return Fit("detect", tensors, facts, notes)


def built(head: Head, labels: LabelSet, backbone: Backbone, shape: DecoderShape) -> Detect:
    """The operator that will read a head, which tells of all that it guesses."""
    classes = len(labels.labels)
    finder = BoxFinder(head, backbone.loaded.model.architecture, classes, shape)
    operator = Detect(head, finder, labels, thresholds=[0.0] * classes)
    operator.load(torch.device("cpu"), torch.float32)
    return operator


def measure_detect(
    data: DenseData,
    chosen: Sequence[int],
    operator: Detect,
    backbone: Backbone,
    *,
    tell: Tell,
    ids: Sequence[int] = (),
    seed: int = 0,
) -> DetectionScores:
    """Judge a head by the operator that will read it, whatever its thresholds.

    Args:
        data: pictures with things.
        chosen: which of them.
        operator: reads the head.
        backbone: whose features the data are.
        tell: told of every picture.
        ids: what the head calls each class of the data; the same where it is empty.
        seed: of the bootstrap.
    """

    def read(features: Features, rows: slice) -> Tensor:
        boxes, scores, labels = operator.guesses(features, rows)
        return torch.cat([boxes, scores[..., None], labels[..., None]], dim=-1)

    answer = answers(operator, read, norm_on_cpu(backbone))
    found = []
    for done, index in enumerate(chosen, start=1):
        own = answer(data.read(index)).numpy()
        found.append(Found(own[:, :4], own[:, 4], own[:, 5]))
        tell("measuring", done, len(chosen))
    truths = [_renamed(data.truth(index), ids) for index in chosen]
    groups = [data.groups[index] for index in chosen]
    return detection_scores(found, truths, groups, len(operator.labels.labels), seed=seed)


def _renamed(truth: NDArray[np.float32], ids: Sequence[int]) -> NDArray[np.float32]:
    if ids:
        truth[:, 0] = np.asarray(ids, dtype=np.float32)[truth[:, 0].astype(int)]
    return truth


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
