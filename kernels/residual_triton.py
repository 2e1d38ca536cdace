"""The Triton kernels of `kernels.residual`: a stream of tokens is read once, added to and normed.

In: `[..., D]` on a CUDA device. Out: the same shape, once or twice. See docs/kernels.md.
Imports triton at its top, so it is itself imported late. Must not know when it is used.
"""

import torch
import triton
import triton.language as tl
from torch import Tensor

# A thread holds 8 neighbouring channels, 16 bytes of a 16-bit tensor, of two rows, or 16 of one.
CHANNELS_PER_WARP = 8 * 32
MAX_WARPS = 4
# Of a float32 stream a thread holds 4 neighbouring channels, 16 bytes again, of one row.
FLOAT32_PER_WARP = 4 * 32
FLOAT32_MAX_WARPS = 16


@triton.jit
def store_normed(  # type: ignore[no-untyped-def]
    normed, weight, bias, b_x, o_m, m_md, eps, D: tl.constexpr, BLOCK_D: tl.constexpr
):
    """LayerNorm of rows held in registers, float32; the variance is that of the centred row."""
    o_d = tl.arange(0, BLOCK_D)
    m_d = o_d < D
    b_x = b_x.to(tl.float32)  # [ROWS, BLOCK_D], 0 beyond D
    b_mean = tl.sum(b_x, 1) / D
    b_centred = tl.where(m_d[None, :], b_x - b_mean[:, None], 0.0)
    b_rstd = 1.0 / tl.sqrt(tl.sum(b_centred * b_centred, 1) / D + eps)
    b_weight = tl.load(weight + o_d, mask=m_d, other=0.0).to(tl.float32)
    b_bias = tl.load(bias + o_d, mask=m_d, other=0.0).to(tl.float32)
    b_out = b_centred * b_rstd[:, None] * b_weight[None, :] + b_bias[None, :]
    p_normed = normed + o_m[:, None] * D + o_d[None, :]
    tl.store(p_normed, b_out.to(normed.dtype.element_ty), mask=m_md)


@triton.jit(do_not_specialize=["M"])
def norm_kernel(  # type: ignore[no-untyped-def]
    tokens,
    weight,
    bias,
    normed,
    M,
    stride_m,
    eps,
    D: tl.constexpr,
    BLOCK_D: tl.constexpr,
    ROWS: tl.constexpr,
):
    """One program: ROWS tokens."""
    o_m = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)
    o_d = tl.arange(0, BLOCK_D)
    m_md = (o_m < M)[:, None] & (o_d < D)[None, :]
    b_x = tl.load(tokens + o_m[:, None] * stride_m + o_d[None, :], mask=m_md, other=0.0)
    store_normed(normed, weight, bias, b_x, o_m, m_md, eps, D, BLOCK_D)


@triton.jit(do_not_specialize=["M"])
def add_norm_kernel(  # type: ignore[no-untyped-def]
    tokens,
    branch,
    gamma,
    weight,
    bias,
    added,
    normed,
    M,
    stride_tokens,
    stride_branch,
    eps,
    D: tl.constexpr,
    BLOCK_D: tl.constexpr,
    ROWS: tl.constexpr,
):
    """One program: ROWS tokens and what is added to them."""
    o_m = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)
    o_d = tl.arange(0, BLOCK_D)
    m_md = (o_m < M)[:, None] & (o_d < D)[None, :]
    p_branch = branch + o_m[:, None] * stride_branch + o_d[None, :]
    b_x = tl.load(tokens + o_m[:, None] * stride_tokens + o_d[None, :], mask=m_md, other=0.0)
    b_branch = tl.load(p_branch, mask=m_md, other=0.0).to(tl.float32)
    b_gamma = tl.load(gamma + o_d, mask=o_d < D, other=0.0).to(tl.float32)
    b_sum = b_x.to(tl.float32) + b_gamma[None, :] * b_branch
    # Rounded before the norm: what is normed is the stream as the next block will read it.
    b_x = b_sum.to(added.dtype.element_ty)
    tl.store(added + o_m[:, None] * D + o_d[None, :], b_x, mask=m_md)
    store_normed(normed, weight, bias, b_x, o_m, m_md, eps, D, BLOCK_D)


def tile(width: int, stream: torch.dtype) -> tuple[dict[str, int], int]:
    """How both kernels are cut for a width.

    Warps lie side by side along a row, so that per-channel tensors are read in the layout of the
    tokens: with more warps than a row fills, each would pass through shared memory (D = 192 and 384
    with 4 warps: 9 to 11 barriers in place of 0 and 3).

    Args:
        width: D, 1 to 2048.
        stream: dtype of the tokens. Cut like 16-bit ones, those of float32 spilled at 1536 (sm_80),
            and the per-channel tensors passed through shared memory: up to 19 barriers.

    Returns:
        The kernels' constants (the row rounded up to a power of two, and rows), and warps.
    """
    block_d = triton.next_power_of_2(width)
    if stream == torch.float32:
        warps = min(FLOAT32_MAX_WARPS, max(1, block_d // FLOAT32_PER_WARP))
        return {"D": width, "BLOCK_D": block_d, "ROWS": 1}, warps
    warps = min(MAX_WARPS, max(1, block_d // CHANNELS_PER_WARP))
    rows = max(1, 2 * warps * CHANNELS_PER_WARP // block_d)
    return {"D": width, "BLOCK_D": block_d, "ROWS": rows}, warps


def launch_norm(
    tokens: Tensor, weight: Tensor, bias: Tensor, normed: Tensor, *, eps: float
) -> None:
    """Run `norm_kernel` on the tensors' device.

    Args:
        tokens: `[..., D]`; what the leading axes' strides do not allow to view as `[M, D]` with
            stride 1 in D is copied.
        weight: contiguous `[D]`.
        bias: contiguous `[D]`.
        normed: contiguous, of the shape of `tokens`, in any dtype; wholly overwritten.
        eps: added to the variance.
    """
    rows, width = _rows(tokens), tokens.shape[-1]
    constants, warps = tile(width, tokens.dtype)
    with torch.cuda.device_of(tokens):
        norm_kernel[(triton.cdiv(len(rows), constants["ROWS"]),)](
            rows, weight, bias, normed, len(rows), rows.stride(0), eps, **constants,
            num_warps=warps, enable_fp_fusion=True,
        )  # fmt: skip


def launch_add_norm(
    stream: tuple[Tensor, Tensor, Tensor],
    weight: Tensor,
    bias: Tensor,
    out: tuple[Tensor, Tensor],
    *,
    eps: float,
) -> None:
    """Run `add_norm_kernel` on the tensors' device.

    Args:
        stream: tokens and branch `[..., D]` (strides as in `launch_norm`), gamma `[D]`.
        weight: contiguous `[D]`.
        bias: contiguous `[D]`.
        out: the sum, in the tokens' dtype, and its norm, in any; contiguous, of the tokens' shape,
            wholly overwritten.
        eps: added to the variance.
    """
    tokens, branch, gamma = stream
    rows, branch_rows, width = _rows(tokens), _rows(branch), tokens.shape[-1]
    constants, warps = tile(width, tokens.dtype)
    with torch.cuda.device_of(tokens):
        add_norm_kernel[(triton.cdiv(len(rows), constants["ROWS"]),)](
            rows, branch_rows, gamma, weight, bias, *out, len(rows), rows.stride(0),
            branch_rows.stride(0), eps, **constants, num_warps=warps, enable_fp_fusion=True,
        )  # fmt: skip


def _rows(tokens: Tensor) -> Tensor:
    rows = tokens.reshape(-1, tokens.shape[-1])
    return rows if rows.stride(1) == 1 else rows.contiguous()


# Operators of torch's own: opaque to torch.compile, and an error (not a cut graph) in backward.
@torch.library.custom_op("dinostream::norm", mutates_args=())
def norm(tokens: Tensor, weight: Tensor, bias: Tensor, *, eps: float, dtype: torch.dtype) -> Tensor:
    """LayerNorm by the Triton kernel; see `kernels.residual.norm`."""
    normed = _empty(tokens, dtype)
    launch_norm(tokens, weight.contiguous(), bias.contiguous(), normed, eps=eps)
    return normed


@norm.register_fake
def _(tokens: Tensor, weight: Tensor, bias: Tensor, *, eps: float, dtype: torch.dtype) -> Tensor:
    return _empty(tokens, dtype)


def _empty(tokens: Tensor, dtype: torch.dtype) -> Tensor:
    return torch.empty_like(tokens, dtype=dtype, memory_format=torch.contiguous_format)


@torch.library.custom_op("dinostream::add_norm", mutates_args=())
def add_norm(
    tokens: Tensor,
    branch: Tensor,
    gamma: Tensor,
    weight: Tensor,
    bias: Tensor,
    *,
    eps: float,
    dtype: torch.dtype,
) -> tuple[Tensor, Tensor]:
    """Scaled residual add and LayerNorm by the Triton kernel; see `kernels.residual.add_norm`."""
    added, normed = _empty(tokens, tokens.dtype), _empty(tokens, dtype)
    stream = (tokens, branch, gamma.contiguous())
    launch_add_norm(stream, weight.contiguous(), bias.contiguous(), (added, normed), eps=eps)
    return added, normed


@add_norm.register_fake
def _(
    tokens: Tensor,
    branch: Tensor,
    gamma: Tensor,
    weight: Tensor,
    bias: Tensor,
    *,
    eps: float,
    dtype: torch.dtype,
) -> tuple[Tensor, Tensor]:
    return _empty(tokens, tokens.dtype), _empty(tokens, dtype)
