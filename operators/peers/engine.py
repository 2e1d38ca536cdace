"""A peer as an engine of our backbone: frames' bytes in, its tokens out, one frame after another.

Alone, a frame has the same bits beside any others.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from operators.backbones.engines.engine import Tokens, joined
from operators.backbones.thread_pool import stay_on_one_core
from operators.peers.peer import Peer, normalised


class PeerEngine:
    """Implements `operators.backbones.engines.engine.BackboneEngine`."""

    def __init__(
        self, peer: Peer, blocks: Sequence[int], device: torch.device, *, batch_size: int
    ) -> None:
        """
        Args:
            peer: float32; it is put on the device.
            blocks: whose output is wanted as well.
            device: where it computes.
            batch_size: rows that a GPU's tokens have, zeros behind the frames.
        """
        self._peer = peer.to(device)
        self._blocks = tuple(blocks)
        self._device = device
        self._rows = 0 if device.type == "cpu" else batch_size
        own = peer.statistics
        where = "" if device.type == "cpu" else f", {torch.cuda.get_device_name(device)}"
        self.identity = (
            f"{peer.library}, torch {torch.__version__}, float32, mean {own.mean}, std {own.std}"
            f"{where}"
        )

    @torch.inference_mode()
    def __call__(self, pixels: Tensor) -> Tokens:
        """Tokens of some frames, float32."""
        stay_on_one_core()
        last, kept = joined([self._of_one(frame) for frame in pixels])
        return self._padded(last), {block: self._padded(one) for block, one in kept.items()}

    def _of_one(self, frame: Tensor) -> Tokens:
        """Of `[H, W, 3]`."""
        scaled = frame.to(self._device).float().permute(2, 0, 1)[None] / 255
        return self._peer.tokens(normalised(scaled, self._peer.statistics), self._blocks)

    def _padded(self, tokens: Tensor) -> Tensor:
        """`[n, N, D]` -> `[B, N, D]` on a GPU; a CPU's thread has some rows of a batch alone."""
        missing = max(0, self._rows - len(tokens))
        return F.pad(tokens, (0, 0, 0, 0, 0, missing)) if missing else tokens
