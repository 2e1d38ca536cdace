"""Metric depth from the official DPT heads: features of frames in -> maps in metres out.

Four blocks before the final norm, with their class tokens (upstream: hub/depthers.py). Upstream
pads pictures to multiples of a patch around their centre; frames are such multiples here, so that
padding would add nothing.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from operators.backbones.architectures import Architecture
from operators.depth.dpt import Dpt
from operators.depth.dpt_layouts import dinov2_dpt, file_shapes, renamed
from operators.depth.dpt_rows import decoded
from operators.depth.linear import four_blocks
from operators.frames import Features
from operators.weights.heads import Head

_MARK = "decode_head.reassemble_blocks."  # begins names that only these heads have


class DptDepth:
    """One DPT head."""

    def __init__(
        self, head: Head, arch: Architecture, *, range_m: tuple[float, float], map_scale: int
    ) -> None:
        """
        Args:
            head: tensors in upstream's layout.
            arch: the backbone's sizes.
            range_m: smallest and largest depth of the head, metres.
            map_scale: cells of the map per side of a patch.

        Raises:
            WeightsError: the head does not fit the backbone.
        """
        layout = dinov2_dpt(arch)
        head.check(file_shapes(layout))
        self.layers = four_blocks(arch)
        self._dpt = Dpt(renamed(layout, head.tensors), readout=True, patch=arch.patch)
        self._range_m = range_m
        self._map_scale = map_scale

    def load(self, device: torch.device) -> None:
        """Put the weights on a device."""
        self._dpt.load(device)

    def metres(self, features: Features, rows: slice) -> Tensor:
        """Depth of some rows, float32 `[R, h * map_scale, w * map_scale]`, metres.

        The decoder gives 16 cells per side of a patch; upstream resizes them to the picture in the
        way that is used here for the map.
        """
        read = [features.layers[block] for block in self.layers]
        fine = decoded(
            self._dpt,
            lambda some: [(patches[some], cls[some]) for patches, cls in read],
            features,
            rows,
        )
        low_m, high_m = self._range_m
        depth = (fine.relu() + low_m).clamp(low_m, high_m)
        return at_map_size(depth, features.patches.shape[1:3], self._map_scale)


def is_dpt(tensors: Mapping[str, Tensor]) -> bool:
    """Whether a depth head is one of these, told by its tensors' names."""
    return any(name.startswith(_MARK) for name in tensors)


def at_map_size(values: Tensor, grid: tuple[int, ...], map_scale: int) -> Tensor:
    """Fine maps `[R, H, W]` in the cells that are published, `[R, h * map_scale, w * map_scale]`.

    Bilinear between the centres of cells, as consumers are told that cells lie.
    """
    size = (grid[0] * map_scale, grid[1] * map_scale)
    return interpolate(values[:, None], size=size, mode="bilinear", align_corners=False)[:, 0]
