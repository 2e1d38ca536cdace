"""How good dense answers are over many pictures: answers next to truths -> scores and curves.

Pictures are taken one at a time. Knows operators only as functions of a picture.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import interpolate

from operators.errors import DinostreamError
from operators.learn.dense_pictures import DensePicture, DensePictures
from operators.learn.depth_metrics import (
    DepthErrors,
    DepthScores,
    depth_errors,
    depth_scores,
    known_depth,
)
from operators.learn.metrics import IGNORED, ClassScores, picture_confusion, segmentation_scores
from operators.learn.reliability import Reliability, reliability

_SAMPLES = 256  # pixels of a picture that the curves are drawn from
_SPANS = 20  # of the depth curve

Tell = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class SegmentationQuality:
    """Scores, and how sure against how right, over sampled pixels."""

    scores: ClassScores
    curve: Reliability


@dataclass(frozen=True, slots=True)
class DepthCurve:
    """Spans of true depth, equal on a logarithmic scale, that hold something.

    Attributes:
        truth_m: mean true depth of each, metres, `[n]`.
        answer_m: 10th, 50th and 90th percentile of the answers there, `[n, 3]`.
    """

    truth_m: NDArray[np.float64]
    answer_m: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class DepthQuality:
    """Scores, how many pictures they are of, and answers against truths."""

    scores: DepthScores
    pictures: int
    curve: DepthCurve


def evaluate_segmentation(
    pictures: DensePictures,
    chosen: Sequence[int],
    logits: Callable[[DensePicture], Tensor],
    *,
    seed: int = 0,
    tell: Tell = lambda done, total: None,
) -> SegmentationQuality:
    """Measure answers at every pixel of the truth.

    Args:
        pictures: with uint8 ids, `IGNORED` where unlabelled.
        chosen: which of them.
        logits: of a picture, float `[h', w', K]` at any size: resized bilinearly.
        seed: of sampled pixels and of the bootstrap.
        tell: told of every picture.
    """
    draw = np.random.Generator(np.random.PCG64(seed))
    of_group: dict[str, NDArray[np.int64]] = {}
    sure: list[NDArray[np.float32]] = []
    right: list[NDArray[np.bool_]] = []
    for done, index in enumerate(chosen, start=1):
        picture = pictures.read(index)
        truth = picture.truth.numpy()
        own = _resized(logits(picture).permute(2, 0, 1), truth.shape)
        answer = own.argmax(dim=0).numpy()
        counts = picture_confusion(truth, answer, len(own))
        group = pictures.groups[index]
        of_group[group] = of_group.get(group, 0) + counts
        rows = _sampled(draw, truth != IGNORED)
        sure.append(own.flatten(1)[:, rows].softmax(dim=0).amax(dim=0).numpy())
        right.append((answer == truth).ravel()[rows])
        tell(done, len(chosen))
    return SegmentationQuality(
        segmentation_scores(np.stack(list(of_group.values())), seed=seed),
        reliability(np.concatenate(sure), np.concatenate(right)),
    )


def evaluate_depth(
    pictures: DensePictures,
    chosen: Sequence[int],
    metres: Callable[[DensePicture], Tensor],
    range_m: tuple[float, float],
    *,
    seed: int = 0,
    tell: Tell = lambda done, total: None,
) -> DepthQuality:
    """Measure depth at every pixel whose truth is known and within the range.

    Args:
        pictures: with float32 metres, 0 where unknown.
        chosen: which of them.
        metres: of a picture, float `[h', w']` at any size: resized bilinearly.
        range_m: smallest and largest depth that counts.
        seed: of sampled pixels and of the bootstrap.
        tell: told of every picture.

    Raises:
        DinostreamError: no picture has any depth in the range.
    """
    draw = np.random.Generator(np.random.PCG64(seed))
    errors: list[DepthErrors] = []
    groups: list[str] = []
    truths: list[NDArray[np.float32]] = []
    answers: list[NDArray[np.float32]] = []
    for done, index in enumerate(chosen, start=1):
        picture = pictures.read(index)
        truth = picture.truth.numpy()
        answer = _resized(metres(picture)[None], truth.shape)[0].numpy()
        found = depth_errors(truth, answer, range_m)
        tell(done, len(chosen))
        if found is not None:
            errors.append(found)
            groups.append(pictures.groups[index])
            rows = _sampled(draw, known_depth(truth, range_m))
            truths.append(truth.ravel()[rows])
            answers.append(answer.ravel()[rows])
    if not errors:
        raise DinostreamError(
            f"no picture has a known depth from {range_m[0]:g} m to {range_m[1]:g} m"
        )
    return DepthQuality(
        depth_scores(errors, groups, seed=seed),
        len(errors),
        _curve(np.concatenate(truths), np.concatenate(answers)),
    )


def _resized(maps: Tensor, size_hw: Iterable[int]) -> Tensor:
    """Maps `[C, h, w]` at another size, float32."""
    height, width = size_hw
    whole = maps.float().cpu()[None]
    if whole.shape[2:] == (height, width):
        return whole[0]
    return interpolate(whole, (height, width), mode="bilinear", align_corners=False)[0]


def _sampled(draw: np.random.Generator, known: NDArray[np.bool_]) -> NDArray[np.intp]:
    places = np.flatnonzero(known)
    return draw.choice(places, min(_SAMPLES, len(places)), replace=False)


def _curve(truth_m: NDArray[np.float32], answer_m: NDArray[np.float32]) -> DepthCurve:
    logs = np.log(truth_m.astype(np.float64))
    edges = np.linspace(logs.min(), logs.max() + 1e-9, _SPANS + 1)
    span = np.clip(np.searchsorted(edges, logs, side="right") - 1, 0, _SPANS - 1)
    held = [span == number for number in range(_SPANS) if (span == number).any()]
    return DepthCurve(
        np.array([truth_m[rows].mean() for rows in held], dtype=np.float64),
        np.array([np.percentile(answer_m[rows], (10, 50, 90)) for rows in held]),
    )


def median_depth(
    pictures: DensePictures, chosen: Sequence[int], range_m: tuple[float, float]
) -> float:
    """The median of known depths: what a predictor says that looks at nothing, metres."""
    known = []
    for index in chosen:
        truth = pictures.read(index).truth
        known.append(truth[torch.from_numpy(known_depth(truth.numpy(), range_m))][::7])
    return float(torch.cat(known).median())
