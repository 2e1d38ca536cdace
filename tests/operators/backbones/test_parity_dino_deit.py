"""Parity with transformers' DINO v1 and DeiT, through files that transformers itself wrote.

transformers resizes DINO's positions without upstream's 0.1, so that its twin is given upstream's.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from operators.backbones.architectures import Architecture, architecture
from operators.backbones.backbone import Backbone
from operators.backbones.engines.choice import Choice
from operators.backbones.engines.gpu_vit import GpuVit
from operators.backbones.loaded import LoadedBackbone
from operators.backbones.preprocess import normalise
from operators.frames import FrameBatch
from operators.vector.classify import build_classify
from operators.weights.head_request import HeadRequest
from operators.weights.load import load_backbone

os.environ.setdefault("HF_HUB_OFFLINE", "1")

MAX_ERROR = 1e-4
GRIDS = {"stored": (5, 5), "wide": (3, 7), "upright": (6, 4), "one": (1, 1)}
CLASSES = 1000
KINDS = {
    "dino_vits16": "ViTModel",
    "dino_vits8": "ViTModel",
    "deit_tiny_patch16_224": "ViTForImageClassification",
    "deit_tiny_distilled_patch16_224": "DeiTForImageClassificationWithTeacher",
}
DEITS = [name for name in KINDS if name.startswith("deit")]


@dataclass(frozen=True, slots=True)
class Twin:
    """A model of transformers', its file, and our name for its sizes: two blocks, 5 x 5 patches."""

    arch: Architecture
    model: Any
    path: Path

    def tokens(self, pixels: torch.Tensor) -> torch.Tensor:
        """After the final norm; normalised pixels in."""
        resizes = not self.arch.name.startswith("dino")
        trunk = getattr(self.model, self.model.base_model_prefix, self.model)
        trunk = trunk if resizes else placed_as_dino(trunk, self.arch, pixels)
        with torch.inference_mode():
            seen = trunk(pixels, interpolate_pos_encoding=resizes)
        tokens: torch.Tensor = seen.last_hidden_state
        return tokens

    def logits(self, pixels: torch.Tensor) -> torch.Tensor:
        with torch.inference_mode():
            logits: torch.Tensor = self.model(pixels, interpolate_pos_encoding=True).logits
        return logits


def placed_as_dino(model: Any, arch: Architecture, pixels: torch.Tensor) -> Any:
    """A copy for pictures of that size: vision_transformer.py of DINO upstream."""
    size = (pixels.shape[2], pixels.shape[3])
    h, w = (side // arch.patch for side in size)
    model = deepcopy(model)
    own = model.embeddings
    table = own.position_embeddings
    grid = table[:, 1:].reshape(1, arch.grid, arch.grid, -1).permute(0, 3, 1, 2)
    if (h, w) != (arch.grid, arch.grid):
        scale = ((h + 0.1) / arch.grid, (w + 0.1) / arch.grid)
        grid = F.interpolate(grid, scale_factor=scale, mode="bicubic")
    places = torch.cat((table[:, :1], grid.flatten(2).mT), 1)
    own.position_embeddings = torch.nn.Parameter(places, requires_grad=False)
    own.image_size = own.patch_embeddings.image_size = size
    return model


@pytest.fixture(scope="module")
def twin_of(vit_recipe: Any, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Twin]:
    """`twin_of("dino_vits8")`."""

    @cache
    def made(name: str) -> Twin:
        import transformers

        arch = replace(architecture(name), depth=2, grid=5)
        kind = KINDS[name]
        config = getattr(transformers, "DeiTConfig" if kind.startswith("DeiT") else "ViTConfig")(
            hidden_size=arch.width,
            num_hidden_layers=arch.depth,
            num_attention_heads=arch.heads,
            intermediate_size=arch.hidden,
            image_size=arch.grid * arch.patch,
            patch_size=arch.patch,
            layer_norm_eps=1e-6,  # upstream's; transformers has 1e-12
            num_labels=CLASSES,
        )
        model = getattr(transformers, kind)(config)
        shapes = {name: tuple(one.shape) for name, one in model.state_dict().items()}
        drawn = vit_recipe.seeded_tensors(shapes)
        model.load_state_dict({name: torch.from_numpy(one) for name, one in drawn.items()})
        folder = tmp_path_factory.mktemp(name)
        model.save_pretrained(folder)
        return Twin(arch, model.eval().requires_grad_(False), folder / "model.safetensors")

    return made


def pixels_of(arch: Architecture, grid: tuple[int, int], frames: int = 1) -> np.ndarray:
    size = (frames, grid[0] * arch.patch, grid[1] * arch.patch, 3)
    return np.random.default_rng(3).integers(0, 256, size, dtype=np.uint8)


@pytest.mark.slow
@pytest.mark.parametrize("grid", GRIDS.values(), ids=GRIDS)
@pytest.mark.parametrize("name", KINDS)
def test_tokens_are_the_twins(
    twin_of: Callable[[str], Twin], name: str, grid: tuple[int, int]
) -> None:
    twin = twin_of(name)
    pixels = normalise(torch.from_numpy(pixels_of(twin.arch, grid)), torch.float32)
    model = load_backbone(twin.arch, str(twin.path)).model
    with torch.inference_mode():
        got, _ = model(pixels)
    want = twin.tokens(pixels)
    assert got.shape == want.shape
    assert (got - want).abs().max() <= MAX_ERROR


CHOICES = [
    Choice("torch", torch.float32, ""),
    Choice("torch", torch.bfloat16, ""),
    Choice("openvino", torch.float32, ""),
]


@pytest.mark.slow
@pytest.mark.parametrize("choice", CHOICES, ids=lambda choice: f"{choice.name} {choice.dtype}")
@pytest.mark.parametrize("name", ["dino_vits8", "deit_tiny_distilled_patch16_224"])
def test_every_backend_computes_them(
    twin_of: Callable[[str], Twin], frame: Callable[..., Any], name: str, choice: Choice
) -> None:
    if choice.name == "openvino":
        pytest.importorskip("openvino", reason="the extra cpu is not installed")
    twin = twin_of(name)
    pixels = pixels_of(twin.arch, (3, 7), frames=2)
    want = twin.tokens(normalise(torch.from_numpy(pixels), torch.float32))
    backbone = Backbone(
        load_backbone(twin.arch, str(twin.path)), blocks=(1,), batch_size=2, choice=choice
    )
    seen = backbone(FrameBatch((frame(0), frame(1)), pixels))
    backbone.close()

    tokens = torch.cat((seen.cls[:, None], seen.patches.flatten(1, 2)), 1)
    if twin.arch.registers:
        assert seen.registers is not None
        tokens = torch.cat((tokens[:, :1], backbone.norm(seen.registers[1]), tokens[:, 1:]), 1)
    if choice.dtype == torch.float32:
        assert (tokens - want).abs().max() <= MAX_ERROR
    else:
        assert F.cosine_similarity(tokens, want, dim=2).min() > 0.999


@pytest.mark.slow
@pytest.mark.parametrize("fused", [(), ("patches", "norm", "add_norm")], ids=["plain", "fused"])
@pytest.mark.parametrize("name", ["dino_vits8", "deit_tiny_distilled_patch16_224"])
def test_the_way_of_a_gpu_computes_them(
    twin_of: Callable[[str], Twin], name: str, fused: tuple[str, ...]
) -> None:
    twin = twin_of(name)
    pixels = torch.from_numpy(pixels_of(twin.arch, (3, 7)))
    model = load_backbone(twin.arch, str(twin.path)).model
    with torch.inference_mode():
        run = GpuVit(model, torch.device("cpu"), torch.float32, fused).at(
            (pixels.shape[1], pixels.shape[2])
        )
        got, _ = run(pixels)
    want = twin.tokens(normalise(pixels, torch.float32))
    assert (got - want).abs().max() <= MAX_ERROR


@pytest.mark.slow
@pytest.mark.parametrize("grid", [(5, 5), (3, 7), (6, 4)])
@pytest.mark.parametrize("name", DEITS)
def test_a_deit_answers_as_its_twin(
    twin_of: Callable[[str], Twin], frame: Callable[..., Any], name: str, grid: tuple[int, int]
) -> None:
    twin = twin_of(name)
    loaded: LoadedBackbone = load_backbone(twin.arch, str(twin.path))
    request = HeadRequest("classify", twin.arch, loaded.sha256, str(twin.path))
    classify = build_classify({}, request)
    pixels = pixels_of(twin.arch, grid)
    backbone = Backbone(loaded, blocks=classify.layers, batch_size=1)
    features = backbone(FrameBatch((frame(0),), pixels))
    got = classify.logits(features, slice(1))
    backbone.close()
    want = twin.logits(normalise(torch.from_numpy(pixels), torch.float32))
    assert (got - want).abs().max() <= MAX_ERROR
    assert classify.settings()["vector"].get("register", False) is bool(twin.arch.registers)
