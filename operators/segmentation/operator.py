"""A class for every cell of every frame: features in -> a palette PNG and a summary out.

A linear head's logits, or how alike patches and words are (docs/words.md), upsampled bilinearly
before the arg max. With `scales` the frame is seen again at upstream's further sizes and mirrored,
and the probabilities are averaged: passes of their own, for the last points of accuracy where time
does not matter.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import interpolate

from operators.backbones.architectures import Architecture
from operators.batch_operator import BatchOperator
from operators.finite import finite_rows, require_finite
from operators.format import BUILT_IN
from operators.frames import Features, FrameInfo
from operators.png import palette_png
from operators.result import JSON, PNG, Result, canonical_json
from operators.segmentation.labelsets import OFFICIAL, LabelSet, label_set, parse_label_set
from operators.segmentation.linear import CONV, LinearSegmentation, segmentation_layout
from operators.segmentation.summary import segmentation_summary
from operators.settings import Settings
from operators.weights.head_request import HeadRequest
from operators.weights.heads import Head, random_head, trained_head
from operators.words.likeness import PatchLikeness, of_words

MAP_SCALE = 4
REGIONS = 5
MIN_SHARE = 0.005
SCALES = (1.0, 1.32, 1.73, 2.28, 3.0)  # at which upstream's evaluation sees a picture


class Segmentation(BatchOperator):
    """The class of every cell of every frame, as a map and as a summary."""

    name = "segmentation"
    topics = BUILT_IN["segmentation"]
    version = 2  # 2: rounded as the backbone is

    def __init__(
        self,
        head: Head,
        arch: Architecture,
        labels: LabelSet,
        *,
        map_scale: int = MAP_SCALE,
        regions: int = REGIONS,
        min_share: float = MIN_SHARE,
        scales: int = 1,
    ) -> None:
        """
        Args:
            head: tensors in upstream's layout, over 1 or 4 blocks; or of the kind `words`.
            arch: the backbone's sizes.
            labels: what the classes are.
            map_scale: cells of the map per side of a patch.
            regions: most connected parts that the summary tells of each class.
            min_share: smallest part it tells of, share of the picture.
            scales: how many of `SCALES` a frame is seen at, each also mirrored; 1: as it is, once.

        Raises:
            WeightsError: the head does not fit the backbone or the labels.
        """
        scorer = PatchLikeness if of_words(head) else LinearSegmentation
        self._head = scorer(head, arch, len(labels.labels))
        self.layers = self._head.layers
        self.untrained = head.untrained
        self.head_sha256 = head.sha256
        self.labels = labels
        self._palette = labels.palette
        self._map_scale = map_scale
        self._regions = regions
        self._min_share = min_share
        self._scales = SCALES[:scales]
        self.sees_pixels = scales > 1

    def settings(self) -> Mapping[str, Any]:
        return {
            "map_scale": self._map_scale,
            "regions": self._regions,
            "min_share": self._min_share,
            "labelset": self.labels.name,
            "scales": len(self._scales),
        }

    def patch_weights(self) -> Mapping[int | None, Tensor]:
        return self._head.patch_weights()

    def label_sets(self) -> Mapping[str, Sequence[Mapping[str, Any]]]:
        return {self.labels.name: self.labels.records()}

    def load(self, device: torch.device, dtype: torch.dtype) -> None:
        """The head stays float32 on a GPU whatever the backbone runs in, unless a user asked for
        less (`Features.precision`)."""
        self._head.load(device)

    def compute(self, features: Features, rows: slice) -> tuple[Tensor, ...]:
        coarse = self._head.logits(features, rows)
        scores = self._scores(features, rows, coarse)
        # The arg max of NaN is a class like any other, so numbers are held to be numbers here.
        seen = coarse if len(self._scales) == 1 else scores
        return _most_likely(scores), finite_rows(seen.sum(dim=-1))

    def scores(self, features: Features, rows: slice) -> Tensor:
        """What the arg max is taken of, float32 `[R, h * map_scale, w * map_scale, classes]`.

        Logits of the one shared pass, or the mean of all passes' probabilities.
        """
        return self._scores(features, rows, self._head.logits(features, rows))

    def _scores(self, features: Features, rows: slice, coarse: Tensor) -> Tensor:
        size = [side * self._map_scale for side in coarse.shape[1:3]]
        logits = _upsampled(coarse, size)
        if len(self._scales) == 1:
            return logits
        # Frames, not rows: only a frame can be seen again.
        frames = range(len(features.infos))[rows]
        own = zip(frames, logits, strict=False)
        return torch.stack([self._averaged(features, row, seen) for row, seen in own])

    def _averaged(self, features: Features, row: int, logits: Tensor) -> Tensor:
        """Probabilities of one frame `[H, W, classes]`, averaged over all passes."""
        total = logits.softmax(dim=-1)
        h, w = features.patches.shape[1:3]
        for scale in self._scales:
            for mirrored in (False, True):
                if scale == 1 and not mirrored:
                    continue
                grid = (round(scale * h), round(scale * w))
                seen = self._head.logits(features.again(row, grid, mirrored=mirrored), slice(1))
                (own,) = _upsampled(seen, logits.shape[:2]).softmax(dim=-1)
                total = total + (own.flip(1) if mirrored else own)
        return total / (2 * len(self._scales))

    def say(self, info: FrameInfo, *numbers: NDArray[Any]) -> list[Result]:
        ids, finite = numbers
        require_finite(finite, info, operator=self.name)
        summary = segmentation_summary(
            ids,
            self.labels,
            info.source_hw,
            regions=self._regions,
            min_share=self._min_share,
        )
        refers = {"labelset": self.labels.name}
        picture = palette_png(ids, self._palette)
        return [
            Result(info, self.name, PNG, picture, refers),
            Result(info, f"{self.name}.summary", JSON, canonical_json(summary), refers),
        ]


def build_segmentation(settings: Mapping[str, Any], request: HeadRequest) -> Segmentation:
    """Segmentation as a user configured it.

    Args:
        settings: `map_scale`, `regions`, `min_share`, `scales`.
        request: the head that was chosen.

    Raises:
        MissingHead: no head.
        UsageError: a setting or the head does not do.
    """
    arch = request.architecture
    given = Settings("segmentation", settings, ("map_scale", "regions", "min_share", "scales"))
    options = {
        "map_scale": given.whole("map_scale", MAP_SCALE, low=1, high=arch.patch),
        "regions": given.whole("regions", REGIONS, low=0, high=100),
        "scales": given.whole("scales", 1, low=1, high=len(SCALES)),
    }
    min_share = given.share("min_share", MIN_SHARE)
    if request.wants_random:
        layout = segmentation_layout(arch, OFFICIAL["ade20k"])
        head = random_head(request, layout, {"labelset": "ade20k"})
    else:
        head = trained_head(request)
    return Segmentation(head, arch, _labels(head), min_share=min_share, **options)


def _labels(head: Head) -> LabelSet:
    """The head's own labels; where it says nothing, the official set with as many classes."""
    bias = head.tensors.get(f"{CONV}.bias")
    classes = 0 if bias is None else bias.numel()
    by_size = next((name for name, count in OFFICIAL.items() if count == classes), None)
    name = head.facts.get("labelset", by_size)
    if name in OFFICIAL:
        return label_set(name)
    if not isinstance(name, str) or "labels" not in head.facts:
        raise head.wrong(
            f"nothing says what its {classes} classes are; official heads have "
            f"{' or '.join(map(str, OFFICIAL.values()))}, others say labelset and labels"
        )
    try:
        return parse_label_set(name, head.facts["labels"])
    except ValueError as error:
        raise head.wrong(str(error)) from error


def _upsampled(coarse: Tensor, size: Sequence[int]) -> Tensor:
    """`[R, h, w, classes]` -> `[R, H, W, classes]`."""
    classes_first = coarse.permute(0, 3, 1, 2)
    fine = interpolate(classes_first, size=list(size), mode="bilinear", align_corners=False)
    return fine.permute(0, 2, 3, 1)


def _most_likely(scores: Tensor) -> Tensor:
    """The class of every cell, uint8."""
    if scores.device.type == "cpu":  # numpy's arg max takes an eighth of torch's time on a CPU
        return torch.from_numpy(scores.numpy().argmax(axis=-1).astype(np.uint8))
    return scores.argmax(dim=-1).to(torch.uint8)
