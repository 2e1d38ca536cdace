"""A head that finds things against the things that are there, by the operator that replay runs.

Stored features and truths in -> scores out. Knows nothing of training.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from operators.backbones.backbone import Backbone
from operators.detect.box_finder import BoxFinder
from operators.detect.decoder import DecoderShape
from operators.detect.operator import Detect
from operators.learn.dense_answers import features_of
from operators.learn.detection_metrics import DetectionScores, Found, detection_scores
from operators.learn.estimate import Floats
from operators.learn.mask_overlaps import Masks, boxed_masks, mask_overlaps
from operators.learn.resampling import nearest
from operators.segmentation.labelsets import LabelSet
from operators.weights.heads import Head
from pipeline.fit.dense_data import DenseData
from pipeline.fit.dense_fit import norm_on_cpu
from pipeline.fit.dense_plan import Tell


def built(head: Head, labels: LabelSet, backbone: Backbone, shape: DecoderShape) -> Detect:
    """The operator that will read a head, which tells of all that it guesses."""
    classes = len(labels.labels)
    arch, masks = backbone.loaded.model.architecture, shape.mask_width > 0
    finder = BoxFinder(head, arch, classes, shape, masks=masks)
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
    """Judge a head by the operator that will read it, whatever its thresholds; its masks too where
    the data were read with theirs, as `mask_ap50_95` and `mask_ap50`.

    Args:
        data: pictures with things.
        chosen: which of them.
        operator: reads the head; tells masks where the data have some.
        backbone: whose features the data are.
        tell: told of every picture.
        ids: what the head calls each class of the data; the same where it is empty.
        seed: of the bootstrap.
    """
    norm, classes = norm_on_cpu(backbone), len(operator.labels.labels)
    found, truths = [], []
    masked: list[_Masked] = []
    for done, index in enumerate(chosen, start=1):
        picture = data.read(index)
        features = features_of(picture, operator, norm)
        boxes, scores, labels, *cells = (
            one[0].numpy() for one in operator.guesses(features, slice(1))
        )
        found.append(Found(boxes, scores, labels))
        truths.append(_renamed(picture.truth.numpy(), ids))
        if picture.masks is not None:
            masked.append(_masked(cells[0], picture.masks.numpy(), truths[-1]))
        tell("measuring", done, len(chosen))
    groups = [data.groups[index] for index in chosen]
    measured = detection_scores(found, truths, groups, classes, seed=seed)
    if not data.with_masks:
        return measured
    lax, overlaps = zip(*masked, strict=True)
    of_masks = detection_scores(found, lax, groups, classes, overlaps=overlaps, seed=seed)
    named = {f"mask_{name}": one for name, one in of_masks.estimates.items()}
    return replace(measured, estimates={**measured.estimates, **named})


_Masked = tuple[NDArray[np.float32], Floats]
"""A truth of which nothing without a mask counts, and what overlaps it how far."""


def _masked(cells: Masks, masks: Masks, truth: NDArray[np.float32]) -> _Masked:
    """A thing that has a box alone is neither found nor missed: whatever lies in its box is it."""
    size_hw = masks.shape[1:]
    bare = ~masks.any(axis=(1, 2))
    known = truth.copy()
    known[bare, 5] = 1
    whole = masks.copy()
    whole[bare] = boxed_masks(truth[bare, 1:5], size_hw)
    return known, mask_overlaps(nearest(cells, size_hw), whole, known[:, 5] > 0)


def _renamed(truth: NDArray[np.float32], ids: Sequence[int]) -> NDArray[np.float32]:
    if ids:
        truth[:, 0] = np.asarray(ids, dtype=np.float32)[truth[:, 0].astype(int)]
    return truth
