"""Positions that turn: transformers' own at any size, and every engine turns as the plain model."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from operators.backbones.architectures import ARCHITECTURES, Architecture
from operators.backbones.backbone import Backbone
from operators.backbones.engines.choice import Choice, build_engine
from operators.backbones.engines.gpu_vit import GpuVit
from operators.backbones.loaded import LoadedBackbone
from operators.backbones.machine import this_machine
from operators.backbones.preprocess import normalise
from operators.backbones.random_weights import random_tensors
from operators.backbones.rotary import Rotary, Rotation, exact_periods, rotated
from operators.backbones.vit import VisionTransformer, filled_vit
from operators.frames import FrameBatch, FrameInfo

os.environ.setdefault("HF_HUB_OFFLINE", "1")

SMALL = replace(ARCHITECTURES["dinov3_vits16plus"], width=128, heads=2, depth=3)
BLOCKS = (0, 2)
HAS_BFLOAT16 = {"avx512_bf16", "amx_bf16"} & set(this_machine().features)
EXACT, ROUNDED = 2e-5, 0.999  # largest error in float32, least cosine of a token in bfloat16


@pytest.fixture(scope="module")
def vit() -> VisionTransformer:
    """Weights so large that attention is far from even, so that turning matters."""
    tensors = random_tensors(SMALL, 4)
    return filled_vit(SMALL, {name: _large(name, one) for name, one in tensors.items()})


def _large(name: str, tensor: Tensor) -> Tensor:
    return tensor * (4 if tensor.ndim > 1 else 1)


def frames(size_hw: tuple[int, int], count: int = 1) -> Tensor:
    draw = torch.Generator().manual_seed(count)
    return torch.randint(0, 256, (count, *size_hw, 3), dtype=torch.uint8, generator=draw)


def reference(vit: VisionTransformer, pixels: Tensor) -> list[Tensor]:
    tokens, kept = vit(normalise(pixels, torch.float32), BLOCKS)
    return [tokens, *(kept[block] for block in BLOCKS)]


@pytest.mark.parametrize("name", ["dinov3_vits16", "dinov3_vith16plus", "dinov3_vit7b16"])
@pytest.mark.parametrize("grid", [(14, 14), (5, 9), (1, 3)])
def test_places_are_transformers(name: str, grid: tuple[int, int]) -> None:
    from transformers.models.dinov3_vit import modeling_dinov3_vit as twin

    arch = ARCHITECTURES[name]
    config = twin.DINOv3ViTConfig(
        hidden_size=arch.width, num_attention_heads=arch.heads, patch_size=arch.patch
    )
    size_hw = [side * arch.patch for side in grid]
    cos, sin = twin.DINOv3ViTRopePositionEmbedding(config).eval()(torch.zeros(1, 3, *size_hw))
    draw = torch.Generator().manual_seed(0)
    qkv = torch.randn(2, 5 + len(cos), 3, 2, arch.head_dim, generator=draw)
    query, key = (part.transpose(1, 2) for part in (qkv[:, :, 0], qkv[:, :, 1]))
    want = twin.apply_rotary_pos_emb(query, key, cos, sin)

    rotation = Rotary(arch)(*grid)
    got = rotated(qkv, rotation)

    torch.testing.assert_close(rotation.cos[5:].repeat(1, 2), cos, rtol=0, atol=1e-6)
    for part in range(2):
        torch.testing.assert_close(got[:, :, part].transpose(1, 2), want[part], rtol=0, atol=1e-5)
    assert torch.equal(got[:, :, 2], qkv[:, :, 2])
    assert torch.equal(got[:, :5], qkv[:, :5])  # class token and registers


def test_periods_that_no_file_holds_go_from_1_towards_100() -> None:
    file = exact_periods(ARCHITECTURES["dinov3_vitb16"])
    assert len(file) == 16
    assert file[0] == 1
    assert file[-1].item() == pytest.approx(100 ** (15 / 16))
    assert len(exact_periods(ARCHITECTURES["dinov3_vit7b16"])) == 32


def test_training_and_padding_turn_nothing_else() -> None:
    rotary = Rotary(SMALL)
    assert torch.equal(rotary.train()(3, 2).cos, rotary.eval()(3, 2).cos)
    padded = rotary(3, 2).padded(16)
    qkv = torch.randn(1, 16, 3, 2, 64)
    turned = rotated(qkv, padded)

    assert torch.equal(turned[:, 11:], qkv[:, 11:])
    assert torch.equal(turned[:, :11], rotated(qkv[:, :11], rotary(3, 2)))


def test_places_matter(vit: VisionTransformer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else no test below would see an engine that forgets to turn."""
    pixels = frames((80, 48))
    right = reference(vit, pixels)[0]
    monkeypatch.setattr(Rotary, "forward", _still)
    wrong = reference(vit, pixels)[0]

    assert (right - wrong).abs().max() > 0.1
    assert torch.cosine_similarity(right, wrong, dim=2).min() < ROUNDED


def _still(rotary: Rotary, h: int, w: int) -> Rotation:
    ones = torch.ones(5 + h * w, 32)
    return Rotation(ones, 0 * ones)


@pytest.mark.parametrize("size_hw", [(80, 48), (16, 16)])
@pytest.mark.parametrize("name", ["torch", "openvino"])
def test_engines_turn_as_the_plain_model(
    vit: VisionTransformer, name: str, size_hw: tuple[int, int]
) -> None:
    if name == "openvino":
        pytest.importorskip("openvino", reason="the extra cpu is not installed")
    pixels = frames(size_hw, 3)
    engine = build_engine(Choice(name, torch.float32, ""), vit, BLOCKS, threads=1)
    tokens, kept = engine(pixels)

    for got, want in zip((tokens, *kept.values()), reference(vit, pixels), strict=True):
        torch.testing.assert_close(got, want, rtol=EXACT, atol=EXACT)
    alone = engine(pixels[1:2])[0]
    assert torch.equal(alone, tokens[1:2])


@pytest.mark.parametrize("name", ["torch", "openvino"])
def test_they_stay_close_in_bfloat16(vit: VisionTransformer, name: str) -> None:
    if name == "openvino":
        pytest.importorskip("openvino", reason="the extra cpu is not installed")
        if not HAS_BFLOAT16:
            pytest.skip("this processor has no bfloat16, which OpenVINO then refuses")
    pixels = frames((80, 48))  # 20 tokens: padded to 32
    tokens, _ = build_engine(Choice(name, torch.bfloat16, ""), vit, BLOCKS, threads=1)(pixels)

    assert torch.cosine_similarity(tokens, reference(vit, pixels)[0], dim=2).min() > ROUNDED


@pytest.mark.parametrize("products", [torch.float32, torch.bfloat16])
def test_what_a_gpu_runs_turns_too(vit: VisionTransformer, products: torch.dtype) -> None:
    pixels = frames((80, 48), 2)
    card = GpuVit(vit, torch.device("cpu"), products, fused=())
    tokens, kept = card.at((80, 48), BLOCKS)(pixels)

    for got, want in zip((tokens, *kept.values()), reference(vit, pixels), strict=True):
        if products == torch.float32:
            torch.testing.assert_close(got, want, rtol=EXACT, atol=EXACT)
        else:
            assert torch.cosine_similarity(got, want, dim=2).min() > ROUNDED


def test_features_have_its_registers(
    vit: VisionTransformer, frame: Callable[..., FrameInfo]
) -> None:
    pixels = frames((80, 48))
    backbone = Backbone(LoadedBackbone(vit, "a" * 64, True, "random"), blocks=BLOCKS, batch_size=2)
    seen = backbone(FrameBatch((frame(0),), np.asarray(pixels)))
    backbone.close()

    tokens, first, _ = reference(vit, pixels)
    torch.testing.assert_close(seen.registers[0][:1], first[:, 1:5], rtol=EXACT, atol=EXACT)
    torch.testing.assert_close(
        seen.patches[:1].flatten(1, 2), tokens[:, 5:], rtol=EXACT, atol=EXACT
    )


def test_heads_that_cannot_be_turned_are_no_architecture() -> None:
    with pytest.raises(ValueError, match="heads of 6 numbers"):
        Architecture("odd", width=12, depth=1, heads=2, rotary=True)
