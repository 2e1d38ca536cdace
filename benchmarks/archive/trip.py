"""Features there and back in memory: a basis and a number of levels -> what an archive gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from benchmarks.archive.footage import Seen
from operators.archive.basis import Directions
from operators.archive.compression import quantised, read_maps
from operators.archive.layout import FINAL, Layout, block_name
from operators.archive.moments import Moments
from operators.frames import Features


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
