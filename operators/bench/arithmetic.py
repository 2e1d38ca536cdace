"""How much there is to compute, and how fast this machine multiplies matrices at best."""

from __future__ import annotations

from statistics import median

import torch

from operators.backbones.architectures import Architecture
from operators.bench.stopwatch import seconds_of

_RATE_ROUNDS = 9
_SIDE = {"cpu": 2048, "cuda": 8192}  # of the square matrices


def frame_flop(arch: Architecture, side: int) -> int:
    """Floating-point operations of one pass over a square frame, two per multiply-add.

    Matrix products only: patch embedding, four projections and the two products of attention per
    block, the feed-forward part.

    Args:
        arch: the model.
        side: of the frame, pixels.
    """
    patches = (side // arch.patch) ** 2
    tokens = 1 + arch.registers + patches
    feed_forward = (2 if arch.ffn == "mlp" else 3) * arch.width * arch.hidden
    block = 2 * tokens * (4 * arch.width**2 + feed_forward) + 4 * tokens**2 * arch.width
    return arch.depth * block + 2 * patches * 3 * arch.patch**2 * arch.width


def matrix_rate(device: torch.device, dtype: torch.dtype, cores: int) -> float:
    """FLOP per second of one large square product, the median of some.

    Args:
        device: where.
        dtype: of both matrices.
        cores: that a CPU may use.
    """
    side = _SIDE[device.type]
    if device.type == "cpu":
        torch.set_num_threads(cores)
    left, right = (torch.randn(side, side, device=device).to(dtype) for _ in range(2))
    seconds_of(lambda: left @ right, device)
    seconds = [seconds_of(lambda: left @ right, device) for _ in range(_RATE_ROUNDS)]
    return 2 * side**3 / median(seconds)
