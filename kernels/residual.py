"""The residual stream between two branches of a block: scaled add and LayerNorm in one pass.

In: tokens and a branch `[..., D]`. Out: their sum and its norm. Triton on CUDA, float32 torch
elsewhere. Must not know the block around it, nor import triton before a CUDA tensor arrives.
"""

from torch import Tensor

from . import reference
from .attention import DTYPES
from .device import runs_triton

MAX_WIDTH = 2048
"""Widest row that one program holds in its registers; DINOv2 has 192 to 1536."""


def norm(tokens: Tensor, weight: Tensor, bias: Tensor, *, eps: float) -> Tensor:
    """LayerNorm: what stands before the first branch.

    Args:
        tokens: `[..., D]` float32, float16 or bfloat16, any strides, D at most 2048.
        weight: `[D]`, of the same dtype.
        bias: `[D]`, likewise.
        eps: added to the variance; statistics are float32.

    Returns:
        The shape and dtype of `tokens`, contiguous.

    Raises:
        ValueError: for other shapes or dtypes.
    """
    _check(tokens, weight=weight, bias=bias)
    if runs_triton(tokens.device):
        from . import residual_triton

        out: Tensor = residual_triton.norm(tokens, weight, bias, eps=eps)
        return out
    return reference.norm(tokens, weight, bias, eps=eps)


def add_norm(
    tokens: Tensor, branch: Tensor, gamma: Tensor, weight: Tensor, bias: Tensor, *, eps: float
) -> tuple[Tensor, Tensor]:
    """tokens + gamma * branch, and the LayerNorm of it.

    Args:
        tokens: `[..., D]` float32, float16 or bfloat16, any strides, D at most 2048.
        branch: likewise.
        gamma: `[D]`, of the same dtype: LayerScale.
        weight: `[D]`, of the norm that follows.
        bias: `[D]`, likewise.
        eps: added to the variance; statistics are float32.

    Returns:
        The sum, and the norm of the sum as it was rounded; the shape and dtype of `tokens`,
        contiguous.

    Raises:
        ValueError: for other shapes or dtypes.
    """
    _check(tokens, gamma=gamma, weight=weight, bias=bias)
    if branch.shape != tokens.shape or branch.dtype != tokens.dtype:
        raise ValueError(
            f"branch is {branch.dtype} {list(branch.shape)}; allowed: that of tokens, "
            f"{tokens.dtype} {list(tokens.shape)}"
        )
    if runs_triton(tokens.device):
        from . import residual_triton

        added, normed = residual_triton.add_norm(tokens, branch, gamma, weight, bias, eps=eps)
        return added, normed
    return reference.add_norm(tokens, branch, gamma, weight, bias, eps=eps)


def _check(tokens: Tensor, **per_channel: Tensor) -> None:
    if tokens.dtype not in DTYPES:
        raise ValueError(f"tokens are {tokens.dtype}; allowed: {', '.join(map(str, DTYPES))}")
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
