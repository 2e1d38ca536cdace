"""The backbone run by torch, folded, on the calling thread."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from operators.backbones.engines.engine import Tokens, on
from operators.backbones.engines.lean import LeanVit
from operators.backbones.engines.products import fuses, packs
from operators.backbones.engines.proven import ProvenBatches
from operators.backbones.thread_pool import stay_on_one_core
from operators.backbones.vit import VisionTransformer


class TorchEngine:
    """Implements `operators.backbones.engines.engine.BackboneEngine`."""

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
        self._vit = LeanVit(vit, dtype)
        self._blocks = tuple(blocks)
        self._cores = cores
        self._proven = ProvenBatches(self._together)
        how = f"folded, {_products(dtype)}{on(cores)}"
        self.identity = f"torch {torch.__version__}, {how}"

    @torch.inference_mode()
    def __call__(self, pixels: Tensor) -> Tokens:
        """Tokens of some frames, float32."""
        torch.set_num_threads(self._cores)  # a setting of each thread's own
        try:
            return self._proven(pixels)
        finally:
            stay_on_one_core()

    def _together(self, pixels: Tensor) -> Tokens:
        return self._vit(pixels, self._blocks)


def _products(dtype: torch.dtype) -> str:
    """How they are computed, for an identity; silent about what most processors do."""
    kind = str(dtype).removeprefix("torch.")
    stream = "" if dtype == torch.float32 else ", stream float32"
    if not packs(dtype):
        return f"plain {kind}{stream}"
    return f"packed {kind}{'' if fuses() else ' apart'}{stream}"
