"""Blocks of a head's own behind the backbone's, computed as its engine computes its: tokens before
them in -> tokens after the norm out. Must not know what the tokens stand for.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from kernels.device import architecture, runs_triton
from operators.backbones.engines.folded import folded_block
from operators.backbones.engines.fused_choice import fused_kernels
from operators.backbones.engines.gpu_vit import GpuBlocks
from operators.backbones.engines.lean import LeanBlock, LeanNorm
from operators.backbones.vit import Block

_ON_CARD = torch.bfloat16  # products of every backbone on a GPU


class LastBlocks:
    """The last blocks of a model whose first ones are the backbone."""

    def __init__(self, blocks: Sequence[Block], norm: nn.LayerNorm) -> None:
        """
        Args:
            blocks: float32, on the CPU; not changed.
            norm: of what comes out of the last one.
        """
        self._blocks, self._norm = blocks, norm
        self._on_card: GpuBlocks | None = None
        self._lean: dict[torch.dtype, list[LeanBlock]] = {}

    def load(self, device: torch.device) -> None:
        """Put them on a device."""
        self._on_card = None
        if device.type != "cpu":
            fused = fused_kernels(architecture(device)) if runs_triton(device) else ()
            self._on_card = GpuBlocks(self._blocks, self._norm, device, _ON_CARD, fused)

    @torch.inference_mode()
    def __call__(self, tokens: Tensor, dtype: torch.dtype) -> Tensor:
        """After the norm, float32 `[R, N, D]`.

        Args:
            tokens: before the blocks, float32 `[R, N, D]`; may be written over.
            dtype: of products on a CPU, the backbone's.
        """
        if self._on_card:
            normed, _ = self._on_card(tokens)
            return normed
        rows = tokens.flatten(0, 1)
        for block in self._of(dtype):
            rows = block(rows, len(tokens), None)
        return LeanNorm(self._norm, torch.float32)(rows.view(tokens.shape))

    def _of(self, dtype: torch.dtype) -> list[LeanBlock]:
        if dtype not in self._lean:  # several threads may come here at once: each is right
            self._lean[dtype] = [LeanBlock(folded_block(block), dtype) for block in self._blocks]
        return self._lean[dtype]
