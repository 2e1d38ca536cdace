"""Relative depth from Depth Anything V2 and 3: features in -> a 16-bit PNG and a summary out.

Larger is nearer, without a unit: disparity up to a scale and an offset that nobody knows. Of V2 it
is what the network says (upstream: depth_anything_v2/dpt.py), of 3 one over its depth.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor

from operators.backbones.architectures import Architecture
from operators.batch_operator import BatchOperator
from operators.depth.depth_anything_2 import DepthAnything2
from operators.depth.depth_anything_3 import DepthAnything3
from operators.depth.steps import to_steps
from operators.depth.summary import depth_summary
from operators.finite import finite_rows, require_finite
from operators.format import BUILT_IN
from operators.frames import Features, FrameInfo
from operators.png import grey16_png
from operators.result import JSON, PNG, Result, canonical_json
from operators.weights.depth_anything import V3, decoder_family
from operators.weights.heads import Head

# The network's numbers have no bound; published ones of V2 reach 7 to 10. One step for every frame
# keeps frames comparable; what lies above 64 is published as 64.
STEP = 0.0009765625

_KIND = {"depthkind": "relativedisparity"}
_SAID = _KIND | {"depthcalibrated": "false"}


class RelativeDepth(BatchOperator):
    """Relative disparity of every frame, as a map and as a summary."""

    name = "depth"
    topics = BUILT_IN["depth"]
    depthscale = STEP
    version = 3  # 2: records say whether they are calibrated; 3: percentiles are rounded otherwise

    def __init__(self, head: Head, arch: Architecture, *, map_scale: int, domain: str = "") -> None:
        """
        Args:
            head: the decoder's tensors, by the file's names.
            arch: the backbone's sizes.
            map_scale: cells of the map per side of a patch.
            domain: what the head is, where that says more than that it is relative: da3mono or
                da3metric.

        Raises:
            WeightsError: the head does not fit the backbone.
        """
        decoder = DepthAnything3 if decoder_family(head.tensors) is V3 else DepthAnything2
        self._decoder = decoder(head, arch, map_scale=map_scale)
        self.layers = self._decoder.layers
        self.untrained = head.untrained
        self.head_sha256 = head.sha256
        self.domain = domain
        self._map_scale = map_scale

    def settings(self) -> Mapping[str, Any]:
        return {"map_scale": self._map_scale} | _KIND | self._named

    @property
    def _named(self) -> dict[str, str]:
        return {"depthhead": self.domain} if self.domain else {}

    def load(self, device: torch.device, dtype: torch.dtype) -> None:
        """The head stays float32 whatever the backbone runs in, because its sums are long, unless a
        user asked for less on a GPU (`Features.precision`)."""
        self._decoder.load(device)

    def compute(self, features: Features, rows: slice) -> tuple[Tensor, ...]:
        disparity = self.disparity(features, rows)
        return to_steps(disparity, STEP), finite_rows(disparity)

    def disparity(self, features: Features, rows: slice) -> Tensor:
        """Of some rows, float32 `[R, h * map_scale, w * map_scale]`, from 0, larger is nearer;
        negative where there is none.

        Raises:
            ValueError: the features carry no final norm, and the head has none of its own.
        """
        return self._decoder.disparity(features, rows)

    def say(self, info: FrameInfo, *numbers: NDArray[Any]) -> list[Result]:
        steps, finite = numbers
        require_finite(finite, info, operator=self.name)
        summary = canonical_json(depth_summary(steps, STEP, unit=None))
        said = _SAID | self._named
        return [
            Result(info, self.name, PNG, grey16_png(steps), said | {"depthscale": str(STEP)}),
            Result(info, f"{self.name}.summary", JSON, summary, said),
        ]
