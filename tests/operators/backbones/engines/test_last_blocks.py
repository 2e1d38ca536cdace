"""A model cut in two computes what it does whole, on a CPU and by a GPU's way."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from operators.backbones.architectures import ARCHITECTURES, Architecture
from operators.backbones.engines.gpu_vit import GpuBlocks
from operators.backbones.engines.last_blocks import LastBlocks
from operators.backbones.random_weights import random_tensors
from operators.backbones.vit import VisionTransformer, filled_vit

CPU = torch.device("cpu")
SMALL = replace(ARCHITECTURES["dinov2_vitti14"], depth=3, registers=2)


@pytest.fixture(params=[SMALL, replace(SMALL, ffn="swiglu")], ids=lambda arch: arch.ffn)
def vit(request: pytest.FixtureRequest) -> VisionTransformer:
    arch: Architecture = request.param
    drawn = random_tensors(arch, 2)
    return filled_vit(arch, {name: (5 if one.ndim > 1 else 1) * one for name, one in drawn.items()})


@torch.inference_mode()
def cut(vit: VisionTransformer) -> tuple[torch.Tensor, torch.Tensor]:
    """Tokens before the last two blocks, and after all of them."""
    pixels = torch.randn(2, 3, 42, 56, generator=torch.Generator().manual_seed(1))
    after, kept = vit(pixels, (0,))
    return kept[0], after


def test_the_last_blocks_go_on_where_the_first_stood(vit: VisionTransformer) -> None:
    before, want = cut(vit)
    blocks = LastBlocks(list(vit.blocks[1:]), vit.norm)
    blocks.load(CPU)
    torch.testing.assert_close(blocks(before.clone(), torch.float32), want, atol=2e-5, rtol=2e-5)
    rounded = blocks(before.clone(), torch.bfloat16)
    assert torch.nn.functional.cosine_similarity(rounded, want, dim=2).min() > 0.999


@torch.inference_mode()
def test_so_they_do_on_a_gpu(vit: VisionTransformer) -> None:
    before, want = cut(vit)
    normed, kept = GpuBlocks(vit.blocks[1:], vit.norm, CPU, torch.float32, ())(before, (1,))
    torch.testing.assert_close(normed, want, atol=2e-5, rtol=2e-5)
    torch.testing.assert_close(vit.norm(kept[1]), want, atol=2e-5, rtol=2e-5)
