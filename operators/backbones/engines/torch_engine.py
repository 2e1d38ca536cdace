"""The backbone run by torch, folded, on the calling thread."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from operators.backbones.engines.calling_thread import CallingThread
from operators.backbones.engines.engine import on
from operators.backbones.engines.lean import LeanVit
from operators.backbones.engines.products import fuses, packs
from operators.backbones.vit import VisionTransformer


class TorchEngine(CallingThread):
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
        lean, wanted = LeanVit(vit, dtype), tuple(blocks)
        super().__init__(lambda pixels: lean(pixels, wanted), cores=cores)
        how = f"folded, {_products(dtype)}{on(cores)}"
        self.identity = f"torch {torch.__version__}, {how}"


def _products(dtype: torch.dtype) -> str:
    """How they are computed, for an identity; silent about what most processors do."""
    kind = str(dtype).removeprefix("torch.")
    stream = "" if dtype == torch.float32 else ", stream float32"
    if not packs(dtype):
        return f"plain {kind}{stream}"
    return f"packed {kind}{'' if fuses() else ' apart'}{stream}"
