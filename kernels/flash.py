"""Flash attention in Triton: one pass over the fused projection, no score matrix in memory.

In: `[B, N, 3, A, 64]` on a CUDA device. Out: `[B, N, A*64]`. Two layers: the jit kernel, and the
launcher that picks tiles and allocates. The mathematics is in docs/attention.md.
The only module that imports triton at its top, so it is itself imported late.
Must not know when it is used: `kernels.attention` decides.
"""

import functools

import torch
import triton
import triton.language as tl
from torch import Tensor

from .tiles import HEAD_DIM, Tile, select_tile, tail_width

# log2(e) / sqrt(64): exp(s / 8) = exp2(s * SCALE), and exp2 is one hardware instruction.
SCALE = tl.constexpr(1.4426950408889634 / 8.0)


@triton.jit
def online_softmax_step(b_s, b_v, b_m, b_l, b_acc):  # type: ignore[no-untyped-def]
    """Fold one block of raw scores into the running maximum, sum and weighted values."""
    b_m_new = tl.maximum(b_m, tl.max(b_s, 1) * SCALE)  # [BM]
    # An explicit fma: the compiler's own fusion of s * SCALE - m is off by default from 3.10 on.
    b_p = tl.exp2(tl.fma(b_s, SCALE, -b_m_new[:, None]))  # [BM, BN]
    b_alpha = tl.exp2(b_m - b_m_new)  # [BM]
    b_l = b_l * b_alpha + tl.sum(b_p, 1)
    b_acc = b_acc * b_alpha[:, None]  # [BM, D]
    b_acc = tl.dot(b_p.to(b_v.dtype), b_v, b_acc, input_precision="ieee")
    return b_m_new, b_l, b_acc


# N and A are kept out of specialisation: a new frame size must not mean a new compilation.
@triton.jit(do_not_specialize=["N", "A"])
def attention_fwd_kernel(  # type: ignore[no-untyped-def]
    qkv,
    out,
    N,
    A,
    stride_b,
    stride_n,
    stride_3,
    stride_a,
    D: tl.constexpr,
    BM: tl.constexpr,
    BN: tl.constexpr,
    TAIL: tl.constexpr,
):
    """One program: BM queries of one head against all keys of that head."""
    n_blocks = tl.cdiv(N, BM)
    i_m = tl.program_id(0) % n_blocks
    i_ba = tl.program_id(0) // n_blocks
    i_b = (i_ba // A).to(tl.int64)
    i_a = (i_ba % A).to(tl.int64)

    o_m = i_m * BM + tl.arange(0, BM)
    o_n = tl.arange(0, BN)
    o_d = tl.arange(0, D)
    m_m = o_m[:, None] < N
    p_q = qkv + i_b * stride_b + i_a * stride_a
    p_k = p_q + stride_3
    p_v = p_k + stride_3

    b_q = tl.load(p_q + o_m[:, None] * stride_n + o_d[None, :], mask=m_m, other=0.0)  # [BM, D]
    b_m = tl.full([BM], -float("inf"), tl.float32)
    b_l = tl.zeros([BM], tl.float32)
    b_acc = tl.zeros([BM, D], tl.float32)

    n_full = N // BN * BN
    for i_n in tl.range(0, n_full, BN):
        o_kv = i_n + o_n
        b_k = tl.load(p_k + o_kv[None, :] * stride_n + o_d[:, None])  # [D, BN]
        b_v = tl.load(p_v + o_kv[:, None] * stride_n + o_d[None, :])  # [BN, D]
        b_s = tl.dot(b_q, b_k, input_precision="ieee")  # [BM, BN]
        b_m, b_l, b_acc = online_softmax_step(b_s, b_v, b_m, b_l, b_acc)

    if TAIL > 0:
        o_kv = n_full + tl.arange(0, TAIL)
        m_kv = o_kv < N
        p_kt = p_k + o_kv[None, :] * stride_n + o_d[:, None]
        p_vt = p_v + o_kv[:, None] * stride_n + o_d[None, :]
        b_k = tl.load(p_kt, mask=m_kv[None, :], other=0.0)  # [D, TAIL]
        b_v = tl.load(p_vt, mask=m_kv[:, None], other=0.0)  # [TAIL, D]
        b_s = tl.dot(b_q, b_k, input_precision="ieee")  # [BM, TAIL]
        b_s = tl.where(m_kv[None, :], b_s, -float("inf"))
        b_m, b_l, b_acc = online_softmax_step(b_s, b_v, b_m, b_l, b_acc)

    b_o = b_acc * (1.0 / b_l)[:, None]  # [BM, D]
    p_o = out + i_b * N * A * D + i_a * D
    tl.store(p_o + o_m[:, None] * (A * D) + o_d[None, :], b_o.to(out.dtype.element_ty), mask=m_m)


def launch(qkv: Tensor, out: Tensor, tile: Tile) -> None:
    """Run the kernel on the tensors' device.

    Args:
        qkv: `[B, N, 3, A, 64]` float16, bfloat16 or float32; stride 1 in the last axis, and
            N x its token stride below 2^31.
        out: contiguous `[B, N, A*64]` of the same dtype and device; wholly overwritten.
        tile: what one program works on.
    """
    assert qkv.stride(-1) == 1, "the kernel reads whole rows"
    assert out.is_contiguous(), "the kernel writes whole rows"
    n_batch, n_tokens, _, n_heads, _ = qkv.shape
    grid = (n_batch * n_heads * triton.cdiv(n_tokens, tile.block_q),)
    with torch.cuda.device_of(qkv):
        attention_fwd_kernel[grid](
            qkv,
            out,
            n_tokens,
            n_heads,
            *qkv.stride()[:4],
            D=HEAD_DIM,
            BM=tile.block_q,
            BN=tile.block_kv,
            TAIL=tail_width(n_tokens, tile.block_kv),
            num_warps=tile.num_warps,
            num_stages=tile.num_stages,
            enable_fp_fusion=True,
        )


# An operator of torch's own: opaque to torch.compile, and an error (not a cut graph) in backward.
@torch.library.custom_op("dinostream::flash_attention", mutates_args=())
def flash_attention(qkv: Tensor) -> Tensor:
    """Attention of the fused projection by the Triton kernel.

    Args:
        qkv: `[B, N, 3, A, 64]` float16, bfloat16 or float32 on a CUDA device, any strides.

    Returns:
        `[B, N, A*64]`, contiguous, in the dtype of `qkv`.
    """
    n_batch, n_tokens, _, n_heads, head_dim = qkv.shape
    # Inside one image the kernel counts offsets in 32 bits.
    if qkv.stride(-1) != 1 or n_tokens * qkv.stride(1) >= 2**31:
        qkv = qkv.contiguous()
    out = qkv.new_empty(n_batch, n_tokens, n_heads * head_dim)
    launch(qkv, out, select_tile(architecture(qkv.device), n_tokens, qkv.element_size()))
    return out


@flash_attention.register_fake
def _(qkv: Tensor) -> Tensor:
    n_batch, n_tokens, _, n_heads, head_dim = qkv.shape
    return qkv.new_empty(n_batch, n_tokens, n_heads * head_dim)


@functools.cache
def architecture(device: torch.device) -> int:
    """10 x major + minor compute capability of a CUDA device: 90 on an H200."""
    major, minor = torch.cuda.get_device_capability(device)
    return 10 * major + minor
