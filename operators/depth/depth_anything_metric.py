"""Metric depth from Depth Anything V2: features of frames in -> maps in metres out.

The relative decoder, whose number goes through a sigmoid and is multiplied by how far its training
reached: 20 m in rooms, 80 m on roads (upstream: metric_depth/depth_anything_v2/dpt.py).
"""

from __future__ import annotations

import torch
from torch import Tensor

from operators.backbones.architectures import Architecture
from operators.depth.dpt_layouts import depth_anything_dpt
from operators.depth.dpt_metric import at_map_size
from operators.depth.normed_dpt import NormedDpt, decoder_tensors
from operators.frames import Features
from operators.weights.heads import Head

REACH_M = {"hypersim": 20.0, "vkitti": 80.0}
"""Domain -> the largest depth."""


class DepthAnythingMetric:
    """One decoder of a Depth Anything V2 that was fine-tuned to metres."""

    def __init__(
        self, head: Head, arch: Architecture, *, range_m: tuple[float, float], map_scale: int
    ) -> None:
        """
        Args:
            head: the decoder's tensors, by the file's names.
            arch: the backbone's sizes.
            range_m: 0 and the largest depth of the head, metres.
            map_scale: cells of the map per side of a patch.

        Raises:
            WeightsError: the head does not fit the backbone.
        """
        self._decoder = NormedDpt(decoder_tensors(head, arch, depth_anything_dpt), arch)
        self.layers = self._decoder.layers
        self._reach_m = range_m[1]
        self._map_scale = map_scale

    def load(self, device: torch.device) -> None:
        """Put the weights on a device."""
        self._decoder.load(device)

    def metres(self, features: Features, rows: slice) -> Tensor:
        """Depth of some rows, float32 `[R, h * map_scale, w * map_scale]`, metres.

        Raises:
            ValueError: the features carry no final norm.
        """
        metres = self._decoder(features, rows).sigmoid() * self._reach_m
        return at_map_size(metres, features.patches.shape[1:3], self._map_scale)
