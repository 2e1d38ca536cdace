"""Attention as the backbone calls it: the Triton kernel on CUDA, torch SDPA elsewhere.

In: the fused projection `[B, N, 3, A, K]`, or `[T, 3, A, K]` of a pack. Out: `[B, N, A*K]`, or
`[T, A*K]`. Both have a gradient. Which path runs, and why, is logged once per device and K, and
told by `attention_path`. Must not know the model around it, and must not import triton before a
CUDA tensor arrives.
"""

import functools
import logging
from collections.abc import Sequence
from typing import Literal, NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention

from .device import constant_when_traced, triton_obstacle
from .packs import runs
from .tiles import HEAD_DIMS

DTYPES = (torch.float32, torch.float16, torch.bfloat16)

_log = logging.getLogger(__name__)


class AttentionPath(NamedTuple):
    """Which implementation serves heads on a device, and the reason in words."""

    name: Literal["triton", "sdpa"]
    reason: str


def attention(qkv: Tensor) -> Tensor:
    """Softmax attention without a mask, softmax(Q K^T / sqrt(K)) V, of a fused projection.

    A row of the result depends on its own image alone: batch mates never change a bit of it. Where
    Triton runs, wanting a gradient changes none either, and the gradient is the kernels' own, the
    same bits every time. Elsewhere, so on every CPU, it is that of torch's SDPA.

    Args:
        qkv: `[B, N, 3, A, K]` float32, float16 or bfloat16, any strides; index 0, 1, 2 of the
            third axis are queries, keys, values. No axis may be empty.

    Returns:
        `[B, N, A*K]` in the dtype and on the device of `qkv`; the heads lie side by side.

    Raises:
        ValueError: for another shape or dtype.
    """
    _check(qkv)
    if not _runs_triton(qkv.device, qkv.shape[4]):
        return _sdpa(qkv)
    if qkv.requires_grad and torch.is_grad_enabled():
        n_batch, n_tokens = qkv.shape[:2]
        lengths = [n_tokens] * n_batch
        return _packed_triton(qkv.flatten(0, 1), lengths).view(n_batch, n_tokens, -1)
    from .flash import flash_attention

    out: Tensor = flash_attention(qkv)
    return out


def packed_attention(qkv: Tensor, lengths: Sequence[int]) -> Tensor:
    """Attention within each sequence of a pack: sequences of any length, one behind the other.

    A sequence's bits are those that `attention` gives to it alone, so its place in the pack does
    not matter. Where Triton runs there is one launch per length that occurs; elsewhere one call of
    SDPA per run of equal lengths, so equal lengths are best kept together.

    Args:
        qkv: `[T, 3, A, K]` float32, float16 or bfloat16, any strides.
        lengths: tokens of each sequence, 1 or more; they add up to T.

    Returns:
        `[T, A*K]` in the dtype and on the device of `qkv`; it has a gradient, as `attention` does.

    Raises:
        ValueError: for another shape or dtype, or lengths that are not those of the pack.
    """
    _check_pack(qkv, lengths)
    if _runs_triton(qkv.device, qkv.shape[3]):
        return _packed_triton(qkv, lengths)
    counts = list(runs(lengths))
    parts = qkv.split([count * n_tokens for count, n_tokens in counts])
    return torch.cat(
        [
            _sdpa(part.unflatten(0, (count, n_tokens))).flatten(0, 1)
            for part, (count, n_tokens) in zip(parts, counts, strict=True)
        ]
    )


def attention_path(device: torch.device | str, head_dim: int) -> AttentionPath:
    """Say which implementation serves a model. On CUDA the kernel is compiled and run to know.

    Args:
        device: a torch device or its name.
        head_dim: K, numbers of one head.

    Returns:
        `("triton" | "sdpa", reason)`.
    """
    return _find_path(torch.device(device), head_dim)


@functools.cache
def _find_path(device: torch.device, head_dim: int) -> AttentionPath:
    if device.type == "cuda" and head_dim not in HEAD_DIMS:
        served = " or ".join(map(str, HEAD_DIMS))
        reason = f"the Triton kernel serves heads of {served} numbers, these have {head_dim}"
        return AttentionPath("sdpa", reason)
    obstacle = triton_obstacle(device, functools.partial(_launch, head_dim))
    if obstacle is not None:
        return AttentionPath("sdpa", obstacle)
    return AttentionPath("triton", f"the kernel runs on {torch.cuda.get_device_name(device)}")


def _launch(head_dim: int, device: torch.device) -> None:
    # 257 tokens: the variant of the kernel that 224 px frames use, so its compilation is kept.
    from .flash import flash_attention

    flash_attention(torch.zeros(1, 257, 3, 1, head_dim, dtype=torch.float16, device=device))


def _runs_triton(device: torch.device, head_dim: int) -> bool:
    return _announced_path(device, head_dim).name == "triton"


constant_when_traced(_runs_triton)


@functools.cache
def _announced_path(device: torch.device, head_dim: int) -> AttentionPath:
    path = attention_path(device, head_dim)
    fell_back = device.type == "cuda" and path.name != "triton"
    level = logging.WARNING if fell_back else logging.INFO
    _log.log(level, "attention on %s runs %s: %s", device, path.name, path.reason)
    return path


def _packed_triton(qkv: Tensor, lengths: Sequence[int]) -> Tensor:
    from .flash_packed import packed_flash_attention

    out: Tensor = packed_flash_attention(qkv, lengths)[0]
    return out


def _sdpa(qkv: Tensor) -> Tensor:
    q, k, v = qkv.permute(2, 0, 3, 1, 4).unbind(0)
    return scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)


def _check(qkv: Tensor) -> None:
    if qkv.dim() != 5 or qkv.shape[2] != 3:
        raise ValueError(
            f"qkv has shape {list(qkv.shape)}; allowed: [B, N, 3, A, K], "
            "the output of the qkv projection viewed per head"
        )
    _check_numbers(qkv)


def _check_pack(qkv: Tensor, lengths: Sequence[int]) -> None:
    if qkv.dim() != 4 or qkv.shape[1] != 3:
        raise ValueError(
            f"qkv has shape {list(qkv.shape)}; allowed: [T, 3, A, K], "
            "the output of the qkv projection of a pack viewed per head"
        )
    _check_numbers(qkv)
    if min(lengths, default=0) < 1 or sum(lengths) != len(qkv):
        raise ValueError(
            f"{len(lengths)} lengths from {min(lengths, default=0)} add up to {sum(lengths)} "
            f"tokens, the pack has {len(qkv)}; allowed: lengths from 1 that add up to the pack"
        )


def _check_numbers(qkv: Tensor) -> None:
    if qkv.numel() == 0:
        raise ValueError(
            f"qkv has shape {list(qkv.shape)}; allowed: at least one image, token, head and number"
        )
    if qkv.dtype not in DTYPES:
        raise ValueError(f"qkv has dtype {qkv.dtype}; allowed: {', '.join(map(str, DTYPES))}")
