"""The backbone run by torch, folded, frame by frame on the calling thread."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from operators.crew import stay_on_one_core
from operators.engines.engine import Tokens, joined, on
from operators.engines.folded import FoldedVit
from operators.vit import VisionTransformer


class TorchEngine:
    """Implements `operators.engines.engine.Engine`."""

    def __init__(
        self, vit: VisionTransformer, blocks: Sequence[int], dtype: torch.dtype, *, cores: int = 1
    ) -> None:
        """
        Args:
            vit: float32, on the CPU; not changed.
            blocks: whose output is wanted as well.
            dtype: of weights and products: float32, or bfloat16 where the processor has it.
            cores: that one caller may use; above 1, bits may depend on it.
        """
        self._vit = FoldedVit(vit, dtype)
        self._blocks = tuple(blocks)
        self._cores = cores
        kind = str(dtype).removeprefix("torch.")
        self.identity = f"torch {torch.__version__}, folded, {kind}, frame by frame{on(cores)}"

    @torch.inference_mode()
    def __call__(self, pixels: Tensor) -> Tokens:
        """Tokens of some frames, float32, one after the other: together they have other bits."""
        torch.set_num_threads(self._cores)  # a setting of each thread's own
        try:
            return joined([self._one(frame) for frame in torch.split(pixels, 1)])
        finally:
            stay_on_one_core()

    def _one(self, frame: Tensor) -> Tokens:
        tokens, kept = self._vit(frame, self._blocks)
        return tokens, {block: before.float() for block, before in kept.items()}
