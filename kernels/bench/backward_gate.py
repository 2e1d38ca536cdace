"""Holds attention's gradient to float32 differentiation on a GPU, and to itself.

In: a CUDA device. Out: checks as JSON values, see `gate`. Must not time anything.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from .. import reference
from ..attention import packed_attention
from .attention_gate import HEAD_DIM
from .gate import TOLERANCE, outcome, same_bits

GATE_PACKS = ((1, 16, 17, 50, 65), (257, 50, 261, 50), (144, 80, 81), (449,), (1370, 1374))
PACK = (257, 257, 50, 50, 50)
"""Two crops and three small ones, at which a pack is held to itself."""


def draw_pack(
    n_tokens: int, n_heads: int, dtype: torch.dtype, device: torch.device | str
) -> tuple[Tensor, Tensor]:
    """Random projection `[T, 3, A, K]` that wants a gradient, and a gradient of the result."""
    shape = (n_tokens, 3, n_heads, HEAD_DIM)
    qkv = torch.randn(shape, dtype=dtype, device=device).requires_grad_()
    return qkv, torch.randn(n_tokens, n_heads * HEAD_DIM, dtype=dtype, device=device)


def backward_checks(device: torch.device) -> Iterator[dict[str, Any]]:
    """Everything that has to hold before training's attention is timed.

    Args:
        device: on which the kernels run.
    """
    # torch fills new memory with NaN then: what a kernel leaves out makes its error NaN.
    torch.use_deterministic_algorithms(True, warn_only=True)
    try:
        with torch.inference_mode(False), torch.enable_grad():
            for dtype in TOLERANCE:
                for lengths in GATE_PACKS:
                    yield from _checked(lengths, dtype, device)
            yield from _invariance(device)
    finally:
        torch.use_deterministic_algorithms(False)


def both_passes(qkv: Tensor, d_out: Tensor, lengths: Sequence[int]) -> tuple[Tensor, Tensor]:
    """Result and gradient by the public function."""
    leaf = qkv.detach().requires_grad_()
    out = packed_attention(leaf, lengths)
    (gradient,) = torch.autograd.grad(out, leaf, d_out)
    return out.detach(), gradient


def _checked(
    lengths: Sequence[int], dtype: torch.dtype, device: torch.device
) -> Iterator[dict[str, Any]]:
    qkv, d_out = draw_pack(sum(lengths), 3, dtype, device)
    out, gradient = both_passes(qkv, d_out, lengths)
    name = f"attention of a pack {list(lengths)}"
    truth = reference.packed_attention(qkv.detach().float(), lengths)
    yield outcome(f"{name}", out, truth)
    spans = zip(qkv.detach().split(list(lengths)), d_out.split(list(lengths)), strict=True)
    truths = [reference.attention_gradient(one[None], d_one[None])[0] for one, d_one in spans]
    yield outcome(f"{name}, gradient", gradient, torch.cat(truths))


def _invariance(device: torch.device) -> Iterator[dict[str, Any]]:
    """Repetition and mates change no bit."""
    qkv, d_out = draw_pack(sum(PACK), 6, torch.bfloat16, device)
    first, again = both_passes(qkv, d_out, PACK), both_passes(qkv, d_out, PACK)
    spans = zip(qkv.split(list(PACK)), d_out.split(list(PACK)), strict=True)
    alone = [both_passes(one, d_one, [len(one)]) for one, d_one in spans]
    for index, name in enumerate(("result", "gradient")):
        yield same_bits(f"a pack's {name}: run again", first[index], again[index])
        apart = torch.cat([one[index] for one in alone])
        yield same_bits(f"a pack's {name}: each sequence alone", first[index], apart)
