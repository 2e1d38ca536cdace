"""How a backbone computes while it learns: products in float32 or bfloat16, attention both ways."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel

from operators.backbones.machine import this_machine


@contextmanager
def training_pass(dtype: torch.dtype, device: torch.device) -> Iterator[None]:
    """The forward pass stands in it; the backward pass may.

    Args:
        dtype: of matrix products, float32 or bfloat16; weights stay float32.
        device: where they are computed.
    """
    bfloat16 = dtype == torch.bfloat16
    with torch.autocast(device.type, torch.bfloat16, enabled=bfloat16):
        if device.type != "cpu":
            yield
            return
        # torch's flash attention is slow backwards in bfloat16 on a CPU (2.15, AMX, 65 tokens): a
        # step takes 1.45 s with it and 0.98 without. In float32 it is the faster one (AVX2, 448
        # tokens: 3.3 s for 4.0).
        flash = () if bfloat16 else (SDPBackend.FLASH_ATTENTION,)
        with sdpa_kernel([*flash, SDPBackend.MATH]):
            yield


def training_dtype(device: torch.device) -> torch.dtype:
    """bfloat16 where the device multiplies matrices of it."""
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float32
    # A ViT-Ti's step: 1.45 s -> 0.98 s with AMX, 1.29 s -> 0.55 s with AVX-512's products (EPYC).
    fast = {"amx_bf16", "avx512_bf16"}.intersection(this_machine().features)
    return torch.bfloat16 if fast else torch.float32
