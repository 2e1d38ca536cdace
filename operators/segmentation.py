"""A class for every cell from the official linear head: features in -> a palette PNG and a summary.

Batch norm and a 1x1 convolution on the normalised patch grid (upstream: eval/segmentation), logits
upsampled bilinearly before the arg max.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import interpolate, linear

from operators.architectures import Architecture
from operators.finite import require_finite
from operators.frames import Features, FrameInfo
from operators.heads import Head, HeadRequest, Layout, random_head, trained_head
from operators.labelsets import OFFICIAL, LabelSet, label_set, parse_label_set
from operators.operator import Operator
from operators.png import palette_png
from operators.result import JSON, PNG, Result, canonical_json
from operators.segmentation_summary import segmentation_summary
from operators.settings import Settings

MAP_SCALE = 4
REGIONS = 5
MIN_SHARE = 0.005

_BN_EPS = 1e-5  # torch's default, which upstream keeps
_BN, _CONV = "decode_head.bn", "decode_head.conv_seg"


class Segmentation(Operator):
    """The class of every cell of every frame, as a map and as a summary."""

    name = "segmentation"

    def __init__(
        self,
        head: Head,
        arch: Architecture,
        labels: LabelSet,
        *,
        map_scale: int = MAP_SCALE,
        regions: int = REGIONS,
        min_share: float = MIN_SHARE,
    ) -> None:
        """
        Args:
            head: tensors in upstream's layout.
            arch: the backbone's sizes.
            labels: what the classes are.
            map_scale: cells of the map per side of a patch.
            regions: most connected parts that the summary tells of each class.
            min_share: smallest part it tells of, share of the picture.

        Raises:
            WeightsError: the head does not fit the backbone or the labels.
        """
        head.check(segmentation_layout(arch, len(labels.labels)))
        self.untrained = head.untrained
        self.head_sha256 = head.sha256
        self.labels = labels
        self._map_scale = map_scale
        self._regions = regions
        self._min_share = min_share
        self._weight, self._bias = _folded(head.tensors)

    @property
    def topics(self) -> tuple[str, ...]:
        return (self.name, f"{self.name}.summary")

    def settings(self) -> Mapping[str, Any]:
        return {
            "map_scale": self._map_scale,
            "regions": self._regions,
            "min_share": self._min_share,
            "labelset": self.labels.name,
        }

    def label_sets(self) -> Mapping[str, Sequence[Mapping[str, Any]]]:
        return {self.labels.name: self.labels.records()}

    def load(self, device: torch.device, dtype: torch.dtype) -> None:
        """The head stays float32 whatever the backbone runs in: it is small."""
        self._weight = self._weight.to(device)
        self._bias = self._bias.to(device)

    def __call__(self, features: Features) -> list[Result]:
        records = features.each(lambda row: self._read(features, row))
        return [record for own in records for record in own]

    def _read(self, features: Features, row: int) -> list[Result]:
        info = features.infos[row]
        logits = self.logits(features, row)
        # The arg max of NaN is a class like any other, so numbers are held to be numbers before it.
        require_finite(logits.sum().view(1).cpu().numpy(), (info,), operator=self.name)
        return self._records(info, _most_likely(logits))

    def logits(self, features: Features, row: int) -> Tensor:
        """Logits of one frame, float32 `[h * map_scale, w * map_scale, classes]`.

        Frames are done one at a time: the same shape always, so batch mates change nothing.
        """
        patches = features.patches[row].float().contiguous()
        h, w, width = patches.shape
        coarse = linear(patches.view(h * w, width), self._weight, self._bias)
        fine = interpolate(
            coarse.view(1, h, w, len(self._bias)).permute(0, 3, 1, 2),
            scale_factor=self._map_scale,
            mode="bilinear",
            align_corners=False,
        )
        return fine[0].permute(1, 2, 0)

    def _records(self, info: FrameInfo, ids: NDArray[np.uint8]) -> list[Result]:
        summary = segmentation_summary(
            ids,
            self.labels,
            info.source_hw,
            regions=self._regions,
            min_share=self._min_share,
        )
        refers = {"labelset": self.labels.name}
        picture = palette_png(ids, self.labels.palette)
        return [
            Result(info, self.name, PNG, picture, refers),
            Result(info, f"{self.name}.summary", JSON, canonical_json(summary), refers),
        ]


def segmentation_layout(arch: Architecture, classes: int) -> Layout:
    """Names and shapes of an official linear head."""
    width = arch.width
    norm = ("weight", "bias", "running_mean", "running_var")
    return {
        f"{_CONV}.weight": (classes, width, 1, 1),
        f"{_CONV}.bias": (classes,),
        **{f"{_BN}.{name}": (width,) for name in norm},
        f"{_BN}.num_batches_tracked": (),
    }


def build_segmentation(settings: Mapping[str, Any], request: HeadRequest) -> Segmentation:
    """Segmentation as a user configured it.

    Args:
        settings: `map_scale`, `regions`, `min_share`.
        request: the head that was chosen.

    Raises:
        MissingHead: no head.
        UsageError: a setting or the head does not do.
    """
    given = Settings("segmentation", settings, ("map_scale", "regions", "min_share"))
    options = {
        "map_scale": given.whole("map_scale", MAP_SCALE, low=1, high=14),
        "regions": given.whole("regions", REGIONS, low=0, high=100),
    }
    min_share = given.share("min_share", MIN_SHARE)
    arch = request.architecture
    if request.wants_random:
        layout = segmentation_layout(arch, OFFICIAL["ade20k"])
        head = random_head(request, layout, {"labelset": "ade20k"})
    else:
        head = trained_head(request)
    return Segmentation(head, arch, _labels(head), min_share=min_share, **options)


def _labels(head: Head) -> LabelSet:
    """The head's own labels; where it says nothing, the official set with as many classes."""
    bias = head.tensors.get(f"{_CONV}.bias")
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


def _most_likely(logits: Tensor) -> NDArray[np.uint8]:
    if logits.device.type == "cpu":  # numpy's arg max takes an eighth of torch's time on a CPU
        ids: NDArray[np.intp] = logits.numpy().argmax(axis=-1)
    else:
        ids = logits.argmax(dim=-1).cpu().numpy()
    return ids.astype(np.uint8)


def _folded(tensors: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
    """Batch norm (in evaluation a scale and a shift per channel) taken into the convolution."""
    own = {name: tensor.double() for name, tensor in tensors.items()}
    scale = own[f"{_BN}.weight"] / torch.sqrt(own[f"{_BN}.running_var"] + _BN_EPS)
    shift = own[f"{_BN}.bias"] - own[f"{_BN}.running_mean"] * scale
    weight = own[f"{_CONV}.weight"].flatten(1)
    bias = own[f"{_CONV}.bias"] + weight @ shift
    return (weight * scale).float().contiguous(), bias.float()
