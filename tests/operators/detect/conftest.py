"""EoMTs of a few blocks with seeded weights, as transformers writes them."""

from __future__ import annotations

import os
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch

from operators.backbones.architectures import ARCHITECTURES, Architecture

os.environ.setdefault("HF_HUB_OFFLINE", "1")


@dataclass(frozen=True, slots=True)
class Twin:
    """A model of transformers', its file, and our name for its sizes."""

    arch: Architecture
    model: Any
    path: Path

    def sees(self, pixels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Logits of classes and of masks; normalised pixels in."""
        with torch.inference_mode():
            seen = self.model(pixels)
        return seen.class_queries_logits, seen.masks_queries_logits

    def cornered(self, grid: tuple[int, int]) -> Twin:
        """One that sees pictures of another grid, placed in the corner of its own."""
        side, model = self.arch.grid, deepcopy(self.model)
        places = model.embeddings.position_embeddings.weight.view(side, side, -1)
        own = places[: grid[0], : grid[1]].flatten(0, 1)
        model.embeddings.position_embeddings = torch.nn.Embedding.from_pretrained(own)
        model.embeddings.position_ids = torch.arange(len(own))[None]
        model.grid_size = grid
        return replace(self, model=model)


@pytest.fixture(scope="session")
def twin_of(vit_recipe: Any, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Twin]:
    """`twin_of("eomt_small_640")`: two blocks in front of the head's own, 5 x 5 patches."""

    @cache
    def made(name: str, *, classes: int = 80, **sizes: Any) -> Twin:
        import transformers

        arch = replace(ARCHITECTURES[name], depth=2, grid=5, **sizes)
        config = transformers.EomtConfig(
            hidden_size=arch.width,
            num_hidden_layers=arch.depth + arch.own_blocks,
            num_attention_heads=arch.heads,
            image_size=arch.grid * arch.patch,
            patch_size=arch.patch,
            num_blocks=arch.own_blocks,
            num_queries=7,
            num_labels=classes,
            use_swiglu_ffn=arch.ffn == "swiglu",
        )
        model = transformers.EomtForUniversalSegmentation(config)
        shapes = {name: tuple(one.shape) for name, one in model.state_dict().items()}
        drawn = vit_recipe.seeded_tensors(shapes)
        model.load_state_dict({name: torch.from_numpy(one) for name, one in drawn.items()})
        model.attn_mask_probs.zero_()  # as after training: nothing is masked any more
        folder = tmp_path_factory.mktemp(name)
        model.save_pretrained(folder)
        return Twin(arch, model.eval().requires_grad_(False), folder / "model.safetensors")

    return made
