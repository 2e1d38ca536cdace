"""Flash attention with a gradient, over packs: torch's operators around the Triton kernels.

In: a pack `[T, 3, A, K]` on a CUDA device and the lengths of its sequences. Out: `[T, A*K]`, and in
the backward pass the gradient `[T, 3, A, K]`. One launch per length that occurs. A sequence's bits
are those it has alone. Must not know when it is used.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from .backward_tiles import select_backward_tiles
from .device import architecture
from .flash import launch_pack
from .flash_backward import launch_backward
from .packs import packs
from .tiles import select_tile


@torch.library.custom_op("dinostream::packed_flash_attention", mutates_args=())
def packed_flash_attention(qkv: Tensor, lengths: Sequence[int]) -> tuple[Tensor, Tensor]:
    """Attention within each sequence of a pack, with what its gradient needs.

    Args:
        qkv: `[T, 3, A, K]` float16, bfloat16 or float32 on a CUDA device, any strides.
        lengths: tokens of each sequence, 1 or more; T in all.

    Returns:
        `[T, A*K]`, contiguous, in the dtype of `qkv`; and float32 `[T*A]`, of every sequence
        `[A, N]` log2 sum_j 2^(log2(e) q_i . k_j / sqrt(K)).

    Raises:
        ValueError: for a K that the kernels do not serve.
    """
    n_tokens, _, n_heads, head_dim = qkv.shape
    qkv = _readable(qkv, max(lengths))
    out = qkv.new_empty(n_tokens, n_heads * head_dim)
    lse = qkv.new_empty(n_tokens * n_heads, dtype=torch.float32)
    arch = architecture(qkv.device)
    for pack in packs(tuple(lengths), qkv.device):
        tile = select_tile(arch, pack.n_tokens, qkv.element_size()).alternating
        launch_pack(qkv, out, lse, pack, tile)
    return out, lse


@packed_flash_attention.register_fake
def _(qkv: Tensor, lengths: Sequence[int]) -> tuple[Tensor, Tensor]:
    n_tokens, _, n_heads, head_dim = qkv.shape
    out = qkv.new_empty(n_tokens, n_heads * head_dim)
    return out, qkv.new_empty(n_tokens * n_heads, dtype=torch.float32)


@torch.library.custom_op("dinostream::packed_flash_attention_backward", mutates_args=())
def packed_flash_attention_backward(
    d_out: Tensor, qkv: Tensor, out: Tensor, lse: Tensor, lengths: Sequence[int]
) -> Tensor:
    """Gradient of `packed_flash_attention`; it has none of its own.

    Args:
        d_out: `[T, A*K]`, gradient of the result.
        qkv: `[T, 3, A, K]`, as the forward pass had it.
        out: its result.
        lse: what it kept.
        lengths: as it had them.

    Returns:
        `[T, 3, A, K]`, contiguous, in the dtype of `qkv`.
    """
    qkv = _readable(qkv, max(lengths))
    d_qkv = torch.empty_like(qkv, memory_format=torch.contiguous_format)
    d_out = d_out.contiguous()
    arch = architecture(qkv.device)
    for pack in packs(tuple(lengths), qkv.device):
        tiles = select_backward_tiles(arch, pack.n_tokens, qkv.element_size())
        launch_backward(qkv, out, d_out, lse, d_qkv, pack, tiles)
    return d_qkv


@packed_flash_attention_backward.register_fake
def _(d_out: Tensor, qkv: Tensor, out: Tensor, lse: Tensor, lengths: Sequence[int]) -> Tensor:
    return torch.empty_like(qkv, memory_format=torch.contiguous_format)


def _keep(ctx: Any, inputs: tuple[Tensor, Sequence[int]], output: tuple[Tensor, Tensor]) -> None:
    qkv, ctx.lengths = inputs
    ctx.save_for_backward(qkv, *output)
    ctx.mark_non_differentiable(output[1])


def _gradient(ctx: Any, d_out: Tensor, d_lse: Tensor) -> tuple[Tensor, None]:
    return packed_flash_attention_backward(d_out, *ctx.saved_tensors, ctx.lengths), None


packed_flash_attention.register_autograd(_gradient, setup_context=_keep)


def _readable(qkv: Tensor, longest: int) -> Tensor:
    """Inside one sequence the kernels count offsets in 32 bits, and read whole rows."""
    if qkv.stride(-1) != 1 or longest * max(qkv.stride(0), qkv[0].numel()) >= 2**31:
        return qkv.contiguous()
    return qkv
