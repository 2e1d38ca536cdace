"""The plain model computes what the backbone does."""

import torch

from operators.backbones.architectures import Architecture
from operators.backbones.random_weights import random_tensors
from operators.backbones.vit import filled_vit
from operators.bench.plain_model import plain_model

ARCH = Architecture("two", width=128, depth=2, heads=2, registers=4)


@torch.inference_mode()
def test_it_says_the_same_without_our_attention(monkeypatch):
    pixels = torch.randn(2, 3, 28, 42, generator=torch.Generator().manual_seed(0))
    tensors = random_tensors(ARCH, 0)
    want = filled_vit(ARCH, tensors)(pixels)[0]
    plain = plain_model(filled_vit(ARCH, tensors))
    monkeypatch.setattr("operators.backbones.vit.attention", None)
    torch.testing.assert_close(plain(pixels)[0], want, rtol=0, atol=1e-5)
