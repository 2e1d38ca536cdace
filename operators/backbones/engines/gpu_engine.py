"""The backbone on a GPU: frames by way of pinned memory into a CUDA graph of their size."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import torch
from torch import Tensor

from kernels.attention import attention_path
from kernels.device import architecture, runs_triton
from kernels.tiles import tiles_digest
from operators.backbones.engines.engine import Tokens
from operators.backbones.engines.fused_choice import fused_kernels
from operators.backbones.engines.gpu_vit import GpuVit, Run
from operators.backbones.engines.graph_pool import GraphPool, recorded, unrecorded
from operators.backbones.engines.staging import Staging
from operators.backbones.vit import VisionTransformer

_log = logging.getLogger(__name__)


class GpuEngine:
    """Implements `operators.backbones.engines.engine.BackboneEngine`. Called from one thread.

    A batch has always the same number of rows, so that a kernel sees one shape whatever it holds
    and a frame's bits do not depend on its mates.
    """

    def __init__(
        self,
        vit: VisionTransformer,
        blocks: Sequence[int],
        device: torch.device,
        dtype: torch.dtype,
        *,
        batch_size: int,
    ) -> None:
        """
        Args:
            vit: float32, on the CPU; not changed.
            blocks: whose output is wanted as well.
            device: CUDA.
            dtype: of products.
            batch_size: B, rows of a batch.
        """
        arch = architecture(device)
        fused = fused_kernels(arch) if runs_triton(device) else ()
        self._vit = GpuVit(vit, device, dtype, fused)
        self._blocks = tuple(blocks)
        self._batch_size = batch_size
        self._staging = Staging(device)
        records = self._records(vit.architecture.patch, device)
        self._passes = GraphPool(self._at, recorded if records else unrecorded, device)
        how = "in CUDA graphs" if records else "eager"
        path: str = attention_path(device, vit.architecture.head_dim).name
        if path == "triton":
            path = f"triton in tiles {tiles_digest(arch)}"
        kind = str(dtype).removeprefix("torch.")
        self.identity = (
            f"torch {torch.__version__}, {path}, fused {' '.join(fused) or 'nothing'}, {kind}, "
            f"stream float32, {how}, batch {batch_size}"
        )

    @torch.inference_mode()
    def __call__(self, pixels: Tensor) -> Tokens:
        """Tokens of some frames, float32 with B rows on the device; those beyond n mean nothing.

        They may be overwritten by the next call: whatever reads them has to be launched before.

        Args:
            pixels: uint8 RGB `[n, H, W, 3]` on the host, n <= B, H and W multiples of the patch.
        """
        found = self._passes.of((self._batch_size, *pixels.shape[1:]))
        self._staging(pixels.numpy(), found.pixels)
        return found.again()

    def _at(self, size_hw: tuple[int, int]) -> Run:
        return self._vit.at(size_hw, self._blocks)

    @torch.inference_mode()
    def _records(self, patch: int, device: torch.device) -> bool:
        """Whether the model can be recorded, by recording it once at its smallest size: known
        before the first record, because it is part of its variant."""
        smallest = torch.zeros(1, patch, patch, 3, dtype=torch.uint8, device=device)
        try:
            recorded(self._at((patch, patch)), smallest)
        except torch.OutOfMemoryError:
            raise
        except RuntimeError as error:
            first_line = str(error).strip().partition("\n")[0]
            _log.warning("no CUDA graphs on %s: %s", device, first_line)
            return False
        return True
