"""The backbone run by torch, folded, one frame on the calling thread."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from operators.crew import stay_on_one_core
from operators.engines.engine import Tokens
from operators.engines.folded import FoldedVit
from operators.vit import VisionTransformer


class TorchEngine:
    """Implements `operators.engines.engine.Engine`."""

    def __init__(self, vit: VisionTransformer, blocks: Sequence[int], dtype: torch.dtype) -> None:
        """
        Args:
            vit: float32, on the CPU; not changed.
            blocks: whose output is wanted as well.
            dtype: of weights and products: float32, or bfloat16 where the processor has it.
        """
        self._vit = FoldedVit(vit, dtype)
        self._blocks = tuple(blocks)
        kind = str(dtype).removeprefix("torch.")
        self.identity = f"torch {torch.__version__}, folded, {kind}, frame by frame"

    @torch.inference_mode()
    def __call__(self, pixels: Tensor) -> Tokens:
        """Tokens of one frame, float32."""
        stay_on_one_core()
        tokens, kept = self._vit(pixels, self._blocks)
        return tokens, {block: before.float() for block, before in kept.items()}
