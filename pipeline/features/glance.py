"""One pass of the backbone over pixels -> the arrays that a feature store keeps.

Frames in -> class tokens of the last blocks, mean patches, and patch grids where wanted. Knows
nothing of files or of decoding.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from operators.backbones.backbone import Backbone
from operators.frames import Features, FrameBatch, FrameInfo
from operators.vector.frame_vector import FrameVector
from operators.vector.motion import averaged_cells
from pipeline.features.backbone import kept_blocks
from pipeline.features.stored import TOKENS, Floats

Arrays = dict[str, NDArray[Any]]


class Glance:
    """A backbone as a feature store uses it."""

    def __init__(self, backbone: Backbone) -> None:
        """
        Args:
            backbone: from `open_backbone`, or one that keeps the same blocks.

        Raises:
            ValueError: it does not keep the blocks of `kept_blocks`.
        """
        arch = backbone.loaded.model.architecture
        self._backbone = backbone
        self._last = arch.depth - 1
        self._vector = FrameVector(len(kept_blocks(arch)), mean_patch=True)
        missing = sorted(set(self._vector.layers(arch)) - set(backbone.blocks))
        if missing:
            raise ValueError(
                f"the backbone must keep blocks {missing} too; build it with open_backbone"
            )

    @property
    def identity(self) -> dict[str, Any]:
        """All that can change an array but the pixels."""
        loaded = self._backbone.loaded
        return {
            "weights": loaded.sha256,
            "model": loaded.model.architecture.name,
            "engine": self._backbone.identity,
            "vector": self._vector.to_json(),
        }

    def __call__(
        self,
        pixels: NDArray[np.uint8],
        infos: tuple[FrameInfo, ...],
        *,
        patches: bool = False,
        tokens_of: int | None = None,
    ) -> Arrays:
        """The arrays of `pipeline.features.stored.Part` for some frames of one size.

        Args:
            pixels: uint8 RGB `[n, H, W, 3]`.
            infos: one per frame.
            patches: keep the last block's patch grids too.
            tokens_of: keep all tokens behind this block too, before the final norm; one that the
                backbone keeps, of a backbone without registers.
        """
        size = self._backbone.batch_size
        pieces = [
            self._piece(FrameBatch(infos[i : i + size], pixels[i : i + size]), patches, tokens_of)
            for i in range(0, len(infos), size)
        ]
        arrays = {name: np.concatenate([one[name] for one in pieces]) for name in pieces[0]}
        return arrays | {"times_us": np.array([i.event_time_us for i in infos], dtype=np.int64)}

    def norm(self, raw: Floats) -> Floats:
        """The backbone's final norm, `[..., D]` -> `[..., D]`."""
        with torch.inference_mode():
            tokens = torch.from_numpy(raw).to(self._backbone.device, self._backbone.dtype)
            normed: Floats = self._backbone.norm(tokens).float().cpu().numpy()
        return normed

    def _piece(self, batch: FrameBatch, patches: bool, tokens_of: int | None) -> Arrays:
        features = self._backbone(batch)
        count = len(batch.infos)
        vectors = features.each(
            lambda row: self._vector.of(features, slice(row, row + 1))[0].cpu().numpy()
        )
        parts = np.stack(vectors).reshape(count, self._vector.blocks + 1, -1)
        cells = features.each(lambda row: averaged_cells(features.patches[row].float()).cpu())
        arrays: Arrays = {"vectors": parts, "cells": torch.stack(cells).half().numpy()}
        if patches:
            arrays |= self._raw(features, count)
        if tokens_of is not None:
            arrays[TOKENS] = _tokens(features, tokens_of)[:count].half().cpu().numpy()
        return arrays

    def _raw(self, features: Features, count: int) -> Arrays:
        grids, tokens = features.layers[self._last]
        return {
            "patches": grids[:count].half().cpu().numpy(),
            "cls": tokens[:count].float().cpu().numpy(),
        }


def _tokens(features: Features, block: int) -> torch.Tensor:
    """`[B, N, D]`, class token first."""
    grids, cls = features.layers[block]
    return torch.cat((cls[:, None], grids.flatten(1, 2)), dim=1)
