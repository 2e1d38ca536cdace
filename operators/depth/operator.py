"""Depth of every frame: features in -> a 16-bit PNG and a summary out.

Which decoder reads them is the head's business: linear over 1 or 4 blocks, DPT, or Depth Anything's
metric one, all in metres; its relative depth is an operator of its own under the same name.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from operators.backbones.architectures import Architecture
from operators.batch_operator import BatchOperator
from operators.depth.depth_anything_metric import REACH_M, DepthAnythingMetric
from operators.depth.dpt_metric import DptDepth, is_dpt
from operators.depth.linear import LinearDepth, depth_layout
from operators.depth.relative import RelativeDepth
from operators.depth.steps import to_steps
from operators.depth.summary import depth_summary
from operators.finite import finite_rows, require_finite
from operators.format import BUILT_IN
from operators.frames import Features, FrameInfo
from operators.png import grey16_png
from operators.result import JSON, PNG, Result, canonical_json
from operators.settings import Settings
from operators.weights.depth_anything import V2, V3, Family, decoder_family
from operators.weights.head_request import HeadRequest
from operators.weights.heads import Head, random_head, trained_head

RANGES_M = {"nyu": (0.001, 10.0), "kitti": (0.001, 80.0)}
MAP_SCALE = 4  # upstream's own for linear heads
_DOMAINS = (*RANGES_M, *V2.domains, *V3.domains)

_MILLIMETRES = 0.001
_MILLIMETRES_REACH_M = 65.0
_COARSE = 0.00390625  # 1/256 m


class Depth(BatchOperator):
    """Metric depth of every frame, as a map and as a summary."""

    name = "depth"
    topics = BUILT_IN["depth"]
    metric = True  # on every stream
    # 2: says whether it is calibrated; 3: rounded as the backbone; 4: percentiles rounded otherwise
    version = 4

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
            head: tensors in upstream's layout: linear over 1 or 4 blocks, DPT, or Depth Anything's.
            arch: the backbone's sizes.
            range_m: smallest and largest depth of the head, metres.
            domain: what it was trained on: nyu, kitti, hypersim, vkitti or own.
            map_scale: cells of the map per side of a patch.

        Raises:
            WeightsError: the head does not fit the backbone.
        """
        self._decoder = _decoder(head)(head, arch, range_m=range_m, map_scale=map_scale)
        self.layers = self._decoder.layers
        self.untrained = head.untrained
        self.head_sha256 = head.sha256
        self.range_m = range_m
        self.domain = domain
        self.depthscale = _MILLIMETRES if range_m[1] <= _MILLIMETRES_REACH_M else _COARSE
        self._map_scale = map_scale

    def settings(self) -> Mapping[str, Any]:
        return {"map_scale": self._map_scale, "range_m": list(self.range_m), "domain": self.domain}

    def patch_weights(self) -> Mapping[int | None, Tensor]:
        return self._decoder.patch_weights() if isinstance(self._decoder, LinearDepth) else {}

    def load(self, device: torch.device, dtype: torch.dtype) -> None:
        """The head stays float32 on a GPU whatever the backbone runs in, unless a user asked for
        less (`Features.precision`)."""
        self._decoder.load(device)

    def compute(self, features: Features, rows: slice) -> tuple[Tensor, ...]:
        metres = self.metres(features, rows)
        return to_steps(metres, self.depthscale), finite_rows(metres)

    def metres(self, features: Features, rows: slice) -> Tensor:
        """Depth of some rows, float32 `[R, h * map_scale, w * map_scale]`, metres."""
        return self._decoder.metres(features, rows)

    def in_metres(self, info: FrameInfo, *numbers: NDArray[Any]) -> NDArray[np.float64]:
        """A frame's map as it is published, metres, 0 where unknown.

        Args:
            info: the frame.
            numbers: its row of each of what `compute` gave.
        """
        return numbers[0] * np.float64(self.depthscale)

    def say(self, info: FrameInfo, *numbers: NDArray[Any]) -> list[Result]:
        steps, finite = numbers
        require_finite(finite, info, operator=self.name)
        kind = {"depthkind": "metric", "depthdomain": self.domain}
        if self.domain in REACH_M:  # v1 of the record knows neither as a domain
            kind |= {"depthdomain": "own", "depthhead": self.domain}
        if self.domain != "own":  # metres of other cameras, until somebody calibrates
            kind["depthcalibrated"] = "false"
        scaled = kind | {"depthscale": str(self.depthscale)}
        summary = canonical_json(depth_summary(steps, self.depthscale))
        return [
            Result(info, self.name, PNG, grey16_png(steps), scaled),
            Result(info, f"{self.name}.summary", JSON, summary, kind),
        ]


def build_depth(settings: Mapping[str, Any], request: HeadRequest) -> Depth | RelativeDepth:
    """Depth as a user configured it; its head says in metres or relative.

    Args:
        settings: `map_scale`; `domain` for a file whose name does not say it: nyu or kitti, of a
            Depth Anything one of its family's.
        request: the head that was chosen.

    Raises:
        MissingHead: no head.
        UsageError: a setting or the head does not do.
    """
    given = Settings("depth", settings, ("map_scale", "domain"))
    arch = request.architecture
    map_scale = given.whole("map_scale", MAP_SCALE, low=1, high=arch.patch)
    if request.wants_random:
        facts = {"range_m": RANGES_M["nyu"]}
        head = random_head(request, depth_layout(arch, blocks=1 if arch.pyramid else 4), facts)
    else:
        head = trained_head(request)
    chosen = given.choice("domain", "nyu", list(_DOMAINS)) if "domain" in settings else ""
    family = decoder_family(head.tensors)
    if family:
        return _of_family(family, head, arch, chosen, map_scale)
    domain, range_m = _range(head, chosen)
    return Depth(head, arch, range_m=range_m, domain=domain, map_scale=map_scale)


def _decoder(head: Head) -> type[DptDepth | LinearDepth | DepthAnythingMetric]:
    if decoder_family(head.tensors):
        return DepthAnythingMetric
    return DptDepth if is_dpt(head.tensors) else LinearDepth


def _of_family(
    family: Family, head: Head, arch: Architecture, chosen: str, map_scale: int
) -> Depth | RelativeDepth:
    """A Depth Anything's: only its official name or a user says what it is fine-tuned to."""
    said = head.facts.get("domain", "")
    if chosen and said and chosen != said:
        raise head.wrong(f"it is {said}; leave out the setting domain={chosen}")
    domain = said or chosen
    if domain not in family.domains:
        *some, last = family.domains
        raise head.wrong(
            f"it is a {family.title}, whose tensors do not tell which one; set domain of depth to "
            f"{', '.join(some)} or {last}, or give the file its official name"
        )
    if domain in REACH_M:
        range_m = (0.0, REACH_M[domain])
        return Depth(head, arch, range_m=range_m, domain=domain, map_scale=map_scale)
    said = domain if family is V3 else ""
    return RelativeDepth(head, arch, map_scale=map_scale, domain=said)


def _range(head: Head, chosen: str) -> tuple[str, tuple[float, float]]:
    """Domain and range belong to the head; only where it says nothing a user may."""
    said = head.facts.get("domain", "own" if "range_m" in head.facts else "")
    if chosen and said and chosen != said:
        raise head.wrong(f"it is for {said}; leave out the setting domain={chosen}")
    domain = said or chosen
    if domain in RANGES_M:
        return domain, RANGES_M[domain]
    if not domain or chosen:
        raise head.wrong("it does not say its range; set domain of depth to nyu or kitti")
    try:
        low_m, high_m = (float(value) for value in head.facts["range_m"])
    except (KeyError, TypeError, ValueError):
        low_m = high_m = 0.0
    if domain != "own" or not 0 < low_m < high_m < 256:
        raise head.wrong("its header wants domain nyu or kitti, or range_m [least, most] in metres")
    return domain, (low_m, high_m)
