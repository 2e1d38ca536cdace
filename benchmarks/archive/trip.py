"""Features there and back in memory: a basis and a number of levels -> what an archive gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from benchmarks.archive.footage import Seen
from operators.archive.basis import Directions
from operators.archive.compression import compressed, quantised, read_maps
from operators.archive.layout import FINAL, Layout, Numbers, block_name
from operators.archive.moments import Moments
from operators.frames import Features
from pipeline.archive.packing import Order, packed


@dataclass(frozen=True, slots=True)
class Trip:
    """One way to keep features.

    Attributes:
        layout: what is kept.
        directions: of each map.
        bits: of a code.
    """

    layout: Layout
    directions: Mapping[str, Directions]
    bits: int = 8

    def frame_bytes(self, grid_hw: tuple[int, int]) -> float:
        """Of one frame, codes packed as closely as they can be."""
        patches = grid_hw[0] * grid_hw[1] * len(self.layout.maps)
        whole = self.layout.frame_bytes(grid_hw)
        return whole - patches * self.layout.components * (1 - self.bits / 8)

    @torch.inference_mode()
    def packed_bytes(self, scenes: Sequence[Seen]) -> float:
        """Of one frame as it lies in a segment, of codes with 8 bits; the mean of some scenes."""
        size = frames = 0
        for features in (one for scene in scenes for one in scene.batches):
            rows = slice(0, len(features.infos))
            codes, scales, fine = compressed(features, self.layout, self.directions, rows)
            pictures = [
                self.layout.packed(Numbers(*one))
                for one in zip(
                    codes.view(torch.int8).numpy(),
                    scales.view(torch.float16).numpy(),
                    fine.view(torch.float16).numpy(),
                    strict=True,
                )
            ]
            order = Order(self.layout.components, self.layout.code_bytes(codes.shape[2:4]))
            size += len(packed(np.stack(pictures), order))
            frames += len(pictures)
        return size / frames

    @torch.inference_mode()
    def __call__(self, features: Features) -> Features:
        """The features that come back."""
        read = read_maps(features, self.layout, slice(None))
        back = {name: self._patches(name, patches) for name, (patches, _) in read.items()}
        fine = {name: tokens.half().float() for name, (_, tokens) in read.items()}
        layers = {
            block: (back[block_name(block)], fine[block_name(block)][:, 0])
            for block in self.layout.blocks
        }
        if self.layout.final:
            patches, cls = back[FINAL], fine[FINAL][:, 0]
        else:
            assert features.norm
            patches, cls = map(features.norm, layers[self.layout.blocks[-1]])
        return replace(features, cls=cls, patches=patches, layers=layers, pixels=None, memo={})

    def _patches(self, name: str, patches: Tensor) -> Tensor:
        own = self.directions[name]
        along = (patches.float() - own.mean) @ own.into.T
        codes, scale = quantised(along, 2 ** (self.bits - 1) - 1)
        return (codes.float() * scale.float()[..., None]) @ own.back + own.mean


def fitted(
    scenes: Sequence[Seen], layout: Layout, read: Mapping[str, Sequence[Tensor]]
) -> dict[str, Directions]:
    """The directions of a layout, of all frames of some scenes.

    Args:
        scenes: with their features.
        layout: what is kept.
        read: what heads multiply patches with, map by map.
    """
    moments = {name: Moments(layout.width) for name in layout.maps}
    for scene in scenes:
        for features in scene.batches:
            rows = slice(0, len(features.infos))
            for name, (patches, _) in read_maps(features, layout, rows).items():
                moments[name].add(patches)
    return {name: one.directions(layout.components, read[name])[0] for name, one in moments.items()}
