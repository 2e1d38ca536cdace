"""A peer as an engine of our backbone: frames' bytes in, its tokens out, one frame after another.

Alone, a frame has the same bits beside any others.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from operators.backbones.engines.engine import Tokens, joined
from operators.backbones.thread_pool import stay_on_one_core
from operators.peers.peer import Peer, normalised


class PeerEngine:
    """Implements `operators.backbones.engines.engine.BackboneEngine`."""

    def __init__(self, peer: Peer, blocks: Sequence[int], device: torch.device) -> None:
        """
        Args:
            peer: float32; it is put on the device.
            blocks: whose output is wanted as well.
            device: where it computes.
        """
        self._peer = peer.to(device)
        self._blocks = tuple(blocks)
        self._device = device
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
        return joined([self._of_one(frame) for frame in pixels])

    def _of_one(self, frame: Tensor) -> Tokens:
        """Of `[H, W, 3]`."""
        scaled = frame.to(self._device).float().permute(2, 0, 1)[None] / 255
        return self._peer.tokens(normalised(scaled, self._peer.statistics), self._blocks)
