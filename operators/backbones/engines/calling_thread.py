"""A model run by torch on the thread that asks, whose core it then keeps to."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from operators.backbones.engines.engine import Tokens
from operators.backbones.engines.proven import ProvenBatches
from operators.backbones.thread_pool import stay_on_one_core


class CallingThread:
    """Implements `operators.backbones.engines.engine.BackboneEngine` but for its identity."""

    def __init__(self, compute: Callable[[Tensor], Tokens], *, cores: int = 1) -> None:
        """
        Args:
            compute: frames `[B, H, W, 3]`, uint8 -> their tokens.
            cores: that one caller may use; above 1, bits may depend on it.
        """
        self._cores = cores
        self._proven = ProvenBatches(compute)

    @torch.inference_mode()
    def __call__(self, pixels: Tensor) -> Tokens:
        """Tokens of some frames, float32."""
        torch.set_num_threads(self._cores)  # a setting of each thread's own
        try:
            return self._proven(pixels)
        finally:
            stay_on_one_core()
