"""Swin's reference twin: transformers' model on seeded weights, and its file."""

from __future__ import annotations

import os
from copy import deepcopy
from pathlib import Path

import torch
from torch import Tensor

from operators.backbones.architectures import Architecture

os.environ.setdefault("HF_HUB_OFFLINE", "1")

SMALL = Architecture(
    "swin_256",
    **{"width": 256, "depth": 4, "heads": 8, "patch": 32, "grid": 7},
    stages=(2, 2, 2, 2),
    own_classifier="swin",
    window=7,
)


class Twin:
    """transformers' classifier with a backbone of an architecture."""

    def __init__(self, arch: Architecture, fill, *, classes: int = 1000) -> None:
        import transformers

        config = transformers.SwinConfig(
            embed_dim=arch.width // arch.finer(0),
            depths=list(arch.stages),
            num_heads=[arch.heads // arch.finer(stage) for stage in range(arch.depth)],
            window_size=arch.window,
            num_labels=classes,
        )
        self._model = fill(transformers.SwinForImageClassification(config))

    def save(self, folder: Path) -> Path:
        """By Hugging Face's names."""
        self._model.save_pretrained(folder)
        return folder / "model.safetensors"

    @torch.inference_mode()
    def maps(self, pixels: Tensor) -> tuple[Tensor, list[Tensor]]:
        """The last map after the norm, and every stage's before it and before it is merged,
        `[B, h, w, C]`."""
        own = self._fresh().swin
        embedded, size = own.embeddings(pixels)
        seen = own.encoder(
            embedded,
            size,
            output_hidden_states=True,
            output_hidden_states_before_downsampling=True,
        ).reshaped_hidden_states[1:]
        maps = [one.permute(0, 2, 3, 1) for one in seen]
        return own.layernorm(maps[-1]), maps

    @torch.inference_mode()
    def last(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """Its own answer: places after the norm `[B, N, D]`, and their mean `[B, D]`."""
        found = self._fresh().swin(pixels)
        return found.last_hidden_state, found.pooler_output

    @torch.inference_mode()
    def logits(self, pixels: Tensor) -> Tensor:
        return self._fresh()(pixels).logits

    def _fresh(self):
        """A copy: a small picture makes it forget for good that its blocks shift."""
        return deepcopy(self._model)
