"""What a head of maps reads of a picture: some blocks of the backbone, patch by patch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch

from operators.backbones.backbone import Backbone
from operators.frames import FrameBatch, FrameInfo
from pipeline.features.folder import Arrays, Pixels

_FORMAT = 1


@dataclass(frozen=True, slots=True)
class Reading:
    """What is read.

    Attributes:
        blocks: of the backbone, before the final norm.
        normed: behind them the last block after it.
    """

    blocks: tuple[int, ...] = ()
    normed: bool = True

    def identity(self, backbone: Backbone) -> dict[str, Any]:
        """All that can change an array but the pixels, as JSON values."""
        return {
            "blocks": list(self.blocks),
            "normed": self.normed,
            "weights": backbone.loaded.sha256,
            "model": backbone.loaded.model.architecture.name,
            "engine": backbone.identity,
            "dense": _FORMAT,
        }

    def of(self, backbone: Backbone, pixels: Pixels) -> list[Arrays]:
        """`patches` float16 `[L, h, w, D]` and `cls` float32 `[L, D]` of each picture.

        Args:
            backbone: keeps the blocks.
            pixels: uint8 RGB `[n, H, W, 3]`, at most as many as its batch.
        """
        infos = (FrameInfo.of_picture(),) * len(pixels)
        features = backbone(FrameBatch(infos, pixels))
        read = [features.layers[block] for block in self.blocks]
        read += [(features.patches, features.cls)] if self.normed else []
        return [
            {
                "patches": torch.stack([patches[row] for patches, _ in read]).half().cpu().numpy(),
                "cls": torch.stack([cls[row] for _, cls in read]).float().cpu().numpy(),
            }
            for row in range(len(pixels))
        ]


def grid_facts(pixels: Pixels, patch: int) -> Mapping[str, Any]:
    """What the file of a picture says beside its arrays: patches down and across.

    Args:
        pixels: of the picture, `[H, W, 3]`.
        patch: side of a patch of the model, pixels.
    """
    height, width = pixels.shape[:2]
    return {"grid": [height // patch, width // patch]}
