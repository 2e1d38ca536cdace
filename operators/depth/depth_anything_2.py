"""Relative depth from Depth Anything V2: features in -> disparity out.

What the network says (upstream: depth_anything_v2/dpt.py): one over depth, up to a scale and an
offset that nobody knows.
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


class DepthAnything2:
    """One relative decoder."""

    def __init__(self, head: Head, arch: Architecture, *, map_scale: int) -> None:
        """
        Args:
            head: the decoder's tensors, by the file's names.
            arch: the backbone's sizes.
            map_scale: cells of the map per side of a patch.

        Raises:
            WeightsError: the head does not fit the backbone.
        """
        self._decoder = NormedDpt(decoder_tensors(head, arch, depth_anything_dpt), arch)
        self.layers = self._decoder.layers
        self._map_scale = map_scale

    def load(self, device: torch.device) -> None:
        """Put the weights on a device."""
        self._decoder.load(device)

    def disparity(self, features: Features, rows: slice) -> Tensor:
        """Of some rows, float32 `[R, h * map_scale, w * map_scale]`, from 0, larger is nearer.

        Raises:
            ValueError: the features carry no final norm.
        """
        fine = self._decoder(features, rows).relu()
        return at_map_size(fine, features.patches.shape[1:3], self._map_scale)
