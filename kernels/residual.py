"""The residual stream between two branches of a block: scaled add and LayerNorm in one pass.

In: tokens and a branch `[..., D]`. Out: their sum and its norm. Triton on CUDA, float32 torch
elsewhere. Must not know the block around it, nor import triton before a CUDA tensor arrives.
"""

import torch
from torch import Tensor

from . import reference
from .attention import DTYPES
from .device import runs_triton

MAX_WIDTH = 2048
"""Widest row that one program holds in its registers; DINOv2 has 192 to 1536."""


def norm(
    tokens: Tensor, weight: Tensor, bias: Tensor, *, eps: float, dtype: torch.dtype | None = None
) -> Tensor:
    """LayerNorm: what stands before the first branch.

    Args:
        tokens: `[..., D]` float32, float16 or bfloat16, any strides, D at most 2048.
        weight: `[D]`, of the same dtype.
        bias: `[D]`, likewise.
        eps: added to the variance; statistics are float32.
        dtype: of the result, one of the three; that of `tokens` where None.

    Returns:
        The shape of `tokens`, contiguous.

    Raises:
        ValueError: for other shapes or dtypes.
    """
    dtype = dtype or tokens.dtype
    _check(tokens, dtype, weight=weight, bias=bias)
    if runs_triton(tokens.device):
        from . import residual_triton

        out: Tensor = residual_triton.norm(tokens, weight, bias, eps=eps, dtype=dtype)
        return out
    return reference.norm(tokens, weight, bias, eps=eps, dtype=dtype)


def add_norm(
    tokens: Tensor,
    branch: Tensor,
    gamma: Tensor,
    weight: Tensor,
    bias: Tensor,
    *,
    eps: float,
    dtype: torch.dtype | None = None,
) -> tuple[Tensor, Tensor]:
    """tokens + gamma * branch, and the LayerNorm of it.

    Args:
        tokens: `[..., D]` float32, float16 or bfloat16, any strides, D at most 2048.
        branch: likewise, of a dtype of its own: a float32 stream may take bfloat16 branches.
        gamma: `[D]`, of the tokens' dtype: LayerScale.
        weight: `[D]`, of the norm that follows.
        bias: `[D]`, likewise.
        eps: added to the variance; statistics are float32.
        dtype: of the norm, one of the three; that of `tokens` where None.

    Returns:
        The sum in the dtype of `tokens`, and the norm of the sum as it was rounded; the shape of
        `tokens`, contiguous.

    Raises:
        ValueError: for other shapes or dtypes.
    """
    dtype = dtype or tokens.dtype
    _check(tokens, dtype, gamma=gamma, weight=weight, bias=bias)
    if branch.shape != tokens.shape or branch.dtype not in DTYPES:
        raise ValueError(
            f"branch is {branch.dtype} {list(branch.shape)}; allowed: that of tokens, "
            f"{list(tokens.shape)}, in {', '.join(map(str, DTYPES))}"
        )
    if runs_triton(tokens.device):
        from . import residual_triton

        added, normed = residual_triton.add_norm(
            tokens, branch, gamma, weight, bias, eps=eps, dtype=dtype
        )
        return added, normed
    return reference.add_norm(tokens, branch, gamma, weight, bias, eps=eps, dtype=dtype)


def _check(tokens: Tensor, dtype: torch.dtype, **per_channel: Tensor) -> None:
    for name, kind in (("tokens are", tokens.dtype), ("dtype is", dtype)):
        if kind not in DTYPES:
            raise ValueError(f"{name} {kind}; allowed: {', '.join(map(str, DTYPES))}")
    if tokens.dim() < 2 or tokens.numel() == 0 or tokens.shape[-1] > MAX_WIDTH:
        raise ValueError(
            f"tokens have shape {list(tokens.shape)}; allowed: [..., D], not empty, "
            f"D at most {MAX_WIDTH}"
        )
    for name, tensor in per_channel.items():
        if tensor.shape != tokens.shape[-1:] or tensor.dtype != tokens.dtype:
            raise ValueError(
                f"{name} is {tensor.dtype} {list(tensor.shape)}; allowed: {tokens.dtype} "
                f"[{tokens.shape[-1]}], one number per channel of the tokens"
            )
