"""How large the inputs of a backbone's layers become: what int8 needs to know of them.

A folded backbone in -> a number per linear layer out, measured on drawn frames.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from functools import partial

import torch
from torch import Tensor, nn

from operators.backbones.engines.drawn_frames import drawn_frames
from operators.backbones.engines.folded import FoldedVit
from operators.backbones.thread_pool import ThreadPool

SIDE = 13  # patches a side of a drawn frame; twice as many change cosines by less than 0.0001
_SEED, _FRAMES = 0, 8
_STEPS = 32  # a range is rounded up to so many steps within a power of two
_HEX = 12


def measured_ranges(vit: FoldedVit, *, threads: int) -> dict[str, float]:
    """The largest magnitude of every block's linear layers' inputs, rounded up by 3 to 6 %.

    Rounded, since machines whose float32 sums differ in the last bits should agree on it.

    Args:
        vit: whose layers they are.
        threads: frames at a time; nothing depends on it.

    Returns:
        By the layers' names, such as `blocks.0.attn.qkv`. 1 for a layer that saw only zeros or
        what is no number.
    """
    side = SIDE * vit.architecture.patch
    frames = torch.from_numpy(drawn_frames(_SEED, _FRAMES, side))
    layers = {
        name: layer for name, layer in vit.blocks.named_modules() if isinstance(layer, nn.Linear)
    }
    seen: dict[str, list[float]] = {name: [] for name in layers}
    hooks = [
        layer.register_forward_pre_hook(partial(_note, seen[name]))
        for name, layer in layers.items()
    ]
    _watch(vit, frames, threads)
    for hook in hooks:
        hook.remove()
    return {f"blocks.{name}": _rounded_up(max(found)) for name, found in seen.items()}


def digest(ranges: Mapping[str, float]) -> str:
    """12 hex that stand for them all."""
    return hashlib.sha256(json.dumps(ranges, sort_keys=True).encode()).hexdigest()[:_HEX]


def _watch(vit: FoldedVit, frames: Tensor, threads: int) -> None:
    pool = ThreadPool(threads)

    @torch.inference_mode()
    def see(row: int) -> None:
        vit(frames[row : row + 1])

    try:
        pool.map(see, range(len(frames)))
    finally:
        pool.close()


def _note(seen: list[float], layer: nn.Module, inputs: tuple[Tensor]) -> None:
    seen.append(inputs[0].abs().max().item())  # of several threads, in any order


def _rounded_up(largest: float) -> float:
    if not 0 < largest < math.inf:
        return 1.0
    part, power = math.frexp(largest)
    return math.ldexp(math.ceil(part * _STEPS) / _STEPS, power)
