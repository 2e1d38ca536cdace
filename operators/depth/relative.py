"""Relative depth from Depth Anything V2: features in -> a 16-bit PNG and a summary out.

Larger is nearer, without a unit: disparity up to a scale and an offset that nobody knows. Four
blocks after the final norm, without class tokens (upstream: depth_anything_v2/dpt.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor

from operators.backbones.architectures import Architecture
from operators.batch_operator import BatchOperator
from operators.depth.dpt import Dpt
from operators.depth.dpt_layouts import depth_anything_dpt, file_shapes, renamed
from operators.depth.dpt_metric import at_map_size
from operators.depth.dpt_rows import decoded
from operators.depth.linear import four_blocks
from operators.depth.steps import to_steps
from operators.depth.summary import depth_summary
from operators.finite import finite_rows, require_finite
from operators.format import BUILT_IN
from operators.frames import Features, FrameInfo
from operators.png import grey16_png
from operators.result import JSON, PNG, Result, canonical_json
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

    def __init__(self, head: Head, arch: Architecture, *, map_scale: int) -> None:
        """
        Args:
            head: the decoder's tensors, by the file's names.
            arch: the backbone's sizes.
            map_scale: cells of the map per side of a patch.

        Raises:
            WeightsError: the head does not fit the backbone.
        """
        try:
            layout = depth_anything_dpt(arch)
        except ValueError as error:
            raise head.wrong(str(error)) from error
        head.check(file_shapes(layout))
        self.layers = four_blocks(arch)
        self.untrained = head.untrained
        self.head_sha256 = head.sha256
        self._dpt = Dpt(renamed(layout, head.tensors), readout=False, patch=arch.patch)
        self._map_scale = map_scale

    def settings(self) -> Mapping[str, Any]:
        return {"map_scale": self._map_scale} | _KIND

    def load(self, device: torch.device, dtype: torch.dtype) -> None:
        """The head stays float32 whatever the backbone runs in, because its sums are long, unless a
        user asked for less on a GPU (`Features.precision`)."""
        self._dpt.load(device)

    def compute(self, features: Features, rows: slice) -> tuple[Tensor, ...]:
        disparity = self.disparity(features, rows)
        return to_steps(disparity, STEP), finite_rows(disparity)

    def disparity(self, features: Features, rows: slice) -> Tensor:
        """Of some rows, float32 `[R, h * map_scale, w * map_scale]`, from 0, larger is nearer.

        Raises:
            ValueError: the features carry no final norm.
        """
        norm = features.norm
        if norm is None:
            raise ValueError("these features carry no final norm; build them with Backbone")
        read = [features.layers[block] for block in self.layers]
        fine = decoded(
            self._dpt,
            lambda some: [(norm(patches[some]), cls[some]) for patches, cls in read],
            features,
            rows,
        )
        grid = features.patches.shape[1:3]
        return at_map_size(fine.relu(), grid, self._map_scale)

    def say(self, info: FrameInfo, *numbers: NDArray[Any]) -> list[Result]:
        steps, finite = numbers
        require_finite(finite, info, operator=self.name)
        summary = canonical_json(depth_summary(steps, STEP, unit=None))
        return [
            Result(info, self.name, PNG, grey16_png(steps), _SAID | {"depthscale": str(STEP)}),
            Result(info, f"{self.name}.summary", JSON, summary, _SAID),
        ]
