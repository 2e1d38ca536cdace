"""A model with patches of 16 pixels and heads of 32, 80 or 128 numbers, all through the room."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from operators.backbones.architectures import Architecture
from operators.backbones.backbone import Backbone
from operators.backbones.engines.choice import Choice
from operators.backbones.loaded import LoadedBackbone
from operators.backbones.random_weights import random_tensors
from operators.backbones.statistics import IMAGENET
from operators.backbones.vit import filled_vit
from operators.frames import FrameBatch, FrameInfo
from operators.registry import build_operator
from operators.result import PNG

PATCH, GRID = 16, (3, 5)
MODELS = [
    Architecture("vit_32", width=64, depth=4, heads=2, patch=PATCH, grid=6),
    Architecture("vit_80", width=160, depth=4, heads=2, registers=2, patch=PATCH, grid=6),
    Architecture("vit_128", width=128, depth=4, heads=1, ffn="swiglu", patch=PATCH, grid=6),
]
CHOICES = [
    Choice("torch", torch.float32, ""),
    Choice("torch", torch.bfloat16, ""),
    Choice("openvino", torch.float32, ""),
]


@pytest.fixture
def batch(frame: Callable[..., FrameInfo]) -> FrameBatch:
    size = (2, GRID[0] * PATCH, GRID[1] * PATCH, 3)
    pixels = np.random.default_rng(7).integers(0, 256, size, dtype=np.uint8)
    return FrameBatch((frame(0), frame(1)), pixels)


def loaded(arch: Architecture) -> LoadedBackbone:
    drawn = random_tensors(arch, 1)
    tensors = {name: (5 if one.ndim > 1 else 1) * one for name, one in drawn.items()}
    return LoadedBackbone(filled_vit(arch, tensors), "a" * 64, True, "random")


def by_the_book(arch: Architecture, weights: dict[str, torch.Tensor], pixels: np.ndarray):
    """Tokens after the final norm, from the state dict alone, with convolution and softmax."""

    def linear(name: str, x: torch.Tensor) -> torch.Tensor:
        return x @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]

    def norm(name: str, x: torch.Tensor) -> torch.Tensor:
        own = (weights[f"{name}.weight"], weights[f"{name}.bias"])
        return F.layer_norm(x, (arch.width,), *own, eps=1e-6)

    mean, std = (torch.tensor(of)[:, None, None] for of in (IMAGENET.mean, IMAGENET.std))
    x = (torch.from_numpy(pixels).permute(0, 3, 1, 2) / 255 - mean) / std
    x = F.conv2d(x, *(weights[f"patch_embed.proj.{of}"] for of in ("weight", "bias")), stride=PATCH)
    h, w = x.shape[2:]
    table = weights["pos_embed"][:, 1:].view(1, arch.grid, arch.grid, -1).permute(0, 3, 1, 2)
    if arch.registers:
        places = F.interpolate(table, size=(h, w), mode="bicubic", antialias=True)
    else:
        scale = ((h + 0.1) / arch.grid, (w + 0.1) / arch.grid)
        places = F.interpolate(table, scale_factor=scale, mode="bicubic")
    first = weights["cls_token"] + weights["pos_embed"][:, :1]
    if arch.registers:
        first = torch.cat((first, weights["register_tokens"]), 1)
    x = torch.cat((first.expand(len(x), -1, -1), (x + places).flatten(2).mT), 1)
    for block in (f"blocks.{index}" for index in range(arch.depth)):
        parts = linear(f"{block}.attn.qkv", norm(f"{block}.norm1", x)).chunk(3, 2)
        q, k, v = (part.unflatten(2, (arch.heads, -1)).transpose(1, 2) for part in parts)
        mixed = (q @ k.mT / q.shape[-1] ** 0.5).softmax(-1) @ v
        x = x + weights[f"{block}.ls1.gamma"] * linear(
            f"{block}.attn.proj", mixed.transpose(1, 2).flatten(2)
        )
        if arch.ffn == "mlp":
            hidden = F.gelu(linear(f"{block}.mlp.fc1", norm(f"{block}.norm2", x)))
            added = linear(f"{block}.mlp.fc2", hidden)
        else:
            gate, value = linear(f"{block}.mlp.w12", norm(f"{block}.norm2", x)).chunk(2, 2)
            added = linear(f"{block}.mlp.w3", F.silu(gate) * value)
        x = x + weights[f"{block}.ls2.gamma"] * added
    return norm("norm", x)


@pytest.mark.slow
@pytest.mark.parametrize("choice", CHOICES, ids=lambda choice: f"{choice.name} {choice.dtype}")
@pytest.mark.parametrize("arch", MODELS, ids=lambda arch: arch.name)
def test_every_backend_computes_the_plain_transformer(
    arch: Architecture, choice: Choice, batch: FrameBatch
) -> None:
    if choice.name == "openvino":
        pytest.importorskip("openvino", reason="the extra cpu is not installed")
    own = loaded(arch)
    want = by_the_book(arch, own.model.state_dict(), batch.pixels)
    backbone = Backbone(own, batch_size=2, choice=choice)
    seen = backbone(batch)
    backbone.close()

    assert seen.patches.shape == (2, *GRID, arch.width)
    tokens = torch.cat((seen.cls[:, None], seen.patches.flatten(1, 2)), 1)
    want = torch.cat((want[:, :1], want[:, 1 + arch.registers :]), 1)
    if choice.dtype == torch.float32:
        torch.testing.assert_close(tokens, want, rtol=0, atol=1e-4)
    else:
        assert F.cosine_similarity(tokens, want, dim=2).min() > 0.999


@pytest.mark.parametrize("arch", MODELS, ids=lambda arch: arch.name)
def test_frames_that_are_no_multiples_of_its_patch_are_refused(
    arch: Architecture, frame: Callable[..., FrameInfo]
) -> None:
    backbone = Backbone(loaded(arch), batch_size=1)
    dinov2s = FrameBatch((frame(0),), np.zeros((1, 28, 42, 3), np.uint8))
    with pytest.raises(
        ValueError, match=f"28x42 must be multiples of 16, the patch of {arch.name}"
    ):
        backbone(dinov2s)
    backbone.close()


@pytest.mark.slow
def test_operators_read_it(batch: FrameBatch) -> None:
    """Their maps have cells per patch, as many as it has pixels at most."""
    arch = Architecture("vit_32", width=64, depth=12, heads=2, patch=PATCH, grid=6)
    own = loaded(arch)
    known = {"architecture": arch, "backbone_sha256": own.sha256, "random_seed": 0}
    fine = {"map_scale": PATCH}
    operators = [
        *(build_operator(name, fine, **known) for name in ("depth", "segmentation", "pca")),
        *(build_operator(name, {}, **known) for name in ("classify", "action", "embedding")),
    ]
    backbone = Backbone(own, blocks=range(arch.depth), batch_size=2)
    features = backbone(batch)
    results = []
    for operator in operators:
        operator.load(torch.device("cpu"), torch.float32)
        results += operator(features)
    backbone.close()

    maps = [result for result in results if result.content_type == PNG]
    sizes = {int.from_bytes(png.data[at : at + 4]) for png in maps for at in (16, 20)}
    assert sizes == {GRID[0] * PATCH, GRID[1] * PATCH}
    assert {result.operator for result in maps} == {"depth", "segmentation", "pca"}
    assert {"classify", "embedding"} <= {result.operator for result in results}
