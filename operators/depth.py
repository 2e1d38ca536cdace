"""Depth in metres from the official linear heads: features in -> a 16-bit PNG and a summary out.

The head reads blocks before the final norm, each patch beside its frame's class token, and weighs
256 depths spread evenly over its range (upstream: hub/depthers.py, hub/depth/decode_heads.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import interpolate, linear

from operators.architectures import Architecture
from operators.depth_summary import depth_summary
from operators.errors import UsageError
from operators.finite import require_finite
from operators.frames import Features, FrameInfo
from operators.heads import Head, HeadRequest, Layout, random_head, trained_head
from operators.operator import Operator
from operators.png import grey16_png
from operators.result import JSON, PNG, Result, canonical_json
from operators.settings import Settings

BINS = 256
RANGES_M = {"nyu": (0.001, 10.0), "kitti": (0.001, 80.0)}
MAP_SCALE = 4  # upstream's own

_FLOOR = 0.1  # added to every weight, so that their sum is never zero
_FOUR_BLOCKS = {12: (2, 5, 8, 11), 24: (4, 11, 17, 23), 40: (9, 19, 29, 39)}  # by backbone depth
_WEIGHT, _BIAS = "decode_head.conv_depth.weight", "decode_head.conv_depth.bias"
_MILLIMETRES = 0.001
_MILLIMETRES_REACH_M = 65.0
_COARSE = 0.00390625  # 1/256 m


class Depth(Operator):
    """Metric depth of every frame, as a map and as a summary."""

    name = "depth"

    def __init__(
        self,
        head: Head,
        arch: Architecture,
        *,
        range_m: tuple[float, float],
        domain: str,
        map_scale: int = MAP_SCALE,
    ) -> None:
        """
        Args:
            head: tensors in upstream's layout, for 1 or 4 blocks.
            arch: the backbone's sizes.
            range_m: smallest and largest depth of the head, metres.
            domain: what it was trained on: nyu, kitti or own.
            map_scale: cells of the map per side of a patch.

        Raises:
            WeightsError: the head does not fit the backbone.
        """
        per_block = 2 * arch.width
        blocks = 4 if _channels(head) == 4 * per_block else 1
        head.check(depth_layout(arch, blocks))
        self.layers = _FOUR_BLOCKS[arch.depth] if blocks == 4 else (arch.depth - 1,)
        self.untrained = head.untrained
        self.head_sha256 = head.sha256
        self.range_m = range_m
        self.domain = domain
        self.depthscale = _MILLIMETRES if range_m[1] <= _MILLIMETRES_REACH_M else _COARSE
        self._map_scale = map_scale
        weight = head.tensors[_WEIGHT].float().reshape(BINS, blocks, 2, arch.width)
        # Depths count from the middle of the range: a quarter of the rounding at 80 m.
        self._middle_m = sum(range_m) / 2
        offsets_m = torch.linspace(*range_m, BINS) - self._middle_m
        sums = torch.stack([torch.ones(BINS), offsets_m], dim=1)
        self._tensors = {
            "of_patch": weight[:, :, 0].reshape(BINS, -1),
            "of_cls": weight[:, :, 1].reshape(BINS, -1),
            "bias": head.tensors[_BIAS].float(),
            "sums": sums,
            "floor": _FLOOR * sums.double().sum(dim=0).float(),
        }

    @property
    def topics(self) -> tuple[str, ...]:
        return (self.name, f"{self.name}.summary")

    def settings(self) -> Mapping[str, Any]:
        return {"map_scale": self._map_scale, "range_m": list(self.range_m), "domain": self.domain}

    def load(self, device: torch.device, dtype: torch.dtype) -> None:
        """The head stays float32 whatever the backbone runs in: it is small."""
        self._tensors = {name: tensor.to(device) for name, tensor in self._tensors.items()}

    def __call__(self, features: Features) -> list[Result]:
        maps = features.each(lambda row: self.metres(features, row))
        metres = torch.stack(maps).cpu().numpy()
        require_finite(metres, features.infos, operator=self.name)
        records = features.each(
            lambda row: self._records(features.infos[row], self._quantised(metres[row]))
        )
        return [record for own in records for record in own]

    def metres(self, features: Features, row: int) -> Tensor:
        """Depth of one frame, float32 `[h * map_scale, w * map_scale]`, metres.

        Frames are done one at a time: the same shape always, so batch mates change nothing. The
        1x1 convolution comes before the bilinear upsampling here and after it upstream; both are
        linear and the weights of the upsampling add up to one, so the order changes only rounding
        (2 ms instead of 302 ms per frame: S, 4 blocks, 16x16 patches, 2 cores, 2026-11-22).
        """
        read = [features.layers[block] for block in self.layers]
        patches = torch.cat([patches[row].float() for patches, _ in read], dim=-1)
        cls = torch.cat([cls[row].float() for _, cls in read])
        h, w, channels = patches.shape
        own = self._tensors
        bias = own["bias"] + own["of_cls"] @ cls
        logits = linear(patches.view(h * w, channels), own["of_patch"], bias)
        fine = interpolate(
            logits.view(1, h, w, BINS).permute(0, 3, 1, 2),
            scale_factor=self._map_scale,
            mode="bilinear",
            align_corners=False,
        )
        weights = fine.permute(0, 2, 3, 1).reshape(-1, BINS).relu_()
        total, weighted = (weights @ own["sums"] + own["floor"]).unbind(dim=1)
        depth = (self._middle_m + weighted / total).clamp(*self.range_m)
        return depth.view(h * self._map_scale, w * self._map_scale)

    def _quantised(self, metres: NDArray[np.float32]) -> NDArray[np.uint16]:
        steps = np.rint(metres.astype(np.float64) / self.depthscale)
        return np.clip(steps, 1, np.iinfo(np.uint16).max).astype(np.uint16)  # 0 would say unknown

    def _records(self, info: FrameInfo, steps: NDArray[np.uint16]) -> list[Result]:
        kind = {"depthkind": "metric", "depthdomain": self.domain}
        scaled = kind | {"depthscale": str(self.depthscale)}
        summary = canonical_json(depth_summary(steps, self.depthscale))
        return [
            Result(info, self.name, PNG, grey16_png(steps), scaled),
            Result(info, f"{self.name}.summary", JSON, summary, kind),
        ]


def depth_layout(arch: Architecture, blocks: int) -> Layout:
    """Names and shapes of an official linear head over 1 or 4 blocks."""
    return {_WEIGHT: (BINS, 2 * arch.width * blocks, 1, 1), _BIAS: (BINS,)}


def build_depth(settings: Mapping[str, Any], request: HeadRequest) -> Depth:
    """Depth as a user configured it.

    Args:
        settings: `map_scale`; `domain` (nyu or kitti) for a file whose name does not say it.
        request: the head that was chosen.

    Raises:
        MissingHead: no head.
        UsageError: a setting, the head or the backbone does not do.
    """
    given = Settings("depth", settings, ("map_scale", "domain"))
    map_scale = given.whole("map_scale", MAP_SCALE, low=1, high=14)
    arch = request.architecture
    if arch.registers:
        plain = arch.name.removesuffix("_reg")
        raise UsageError(
            f"depth heads are trained on backbones without registers, the model is {arch.name}; "
            f"use --model {plain} or leave depth out"
        )
    if request.wants_random:
        facts = {"range_m": RANGES_M["nyu"]}
        head = random_head(request, depth_layout(arch, blocks=4), facts)
    else:
        head = trained_head(request)
    chosen = given.choice("domain", "nyu", list(RANGES_M)) if "domain" in settings else ""
    domain, range_m = _range(head, chosen)
    return Depth(head, arch, range_m=range_m, domain=domain, map_scale=map_scale)


def _range(head: Head, chosen: str) -> tuple[str, tuple[float, float]]:
    """Domain and range belong to the head; only where it says nothing a user may."""
    said = head.facts.get("domain", "own" if "range_m" in head.facts else "")
    if chosen and said and chosen != said:
        raise head.wrong(f"it is for {said}; leave out the setting domain={chosen}")
    domain = said or chosen
    if domain in RANGES_M:
        return domain, RANGES_M[domain]
    if not domain:
        raise head.wrong("it does not say its range; set domain of depth to nyu or kitti")
    try:
        low_m, high_m = (float(value) for value in head.facts["range_m"])
    except (KeyError, TypeError, ValueError):
        low_m = high_m = 0.0
    if domain != "own" or not 0 < low_m < high_m < 256:
        raise head.wrong("its header wants domain nyu or kitti, or range_m [least, most] in metres")
    return domain, (low_m, high_m)


def _channels(head: Head) -> int:
    weight = head.tensors.get(_WEIGHT)
    return int(weight.shape[1]) if weight is not None and weight.ndim == 4 else 0
