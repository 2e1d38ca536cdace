"""Gradient of flash attention in Triton: two passes, no atomics, the same bits every time.

In: the pack and what its forward pass kept. Out: the gradient in the layout of the projection,
`[T, 3, A, K]`. The first pass owns queries and writes dQ, the second owns keys and writes dK and
dV; each computes scores and their gradient anew. The mathematics is in docs/attention-backward.md.
Imports triton at its top, so it is itself imported late. Must not know when it is used.
"""

import torch
import triton
import triton.language as tl
from torch import Tensor

from . import tiles
from .backward_tiles import BackwardTiles
from .packs import Pack
from .tiles import MIN_DOT, variant_for

LOG2_E = tl.constexpr(tiles.LOG2_E)
TAIL_ROWS = tl.constexpr(MIN_DOT)


@triton.jit
def load_rows(p, o_n, N, stride, D: tl.constexpr, MASKED: tl.constexpr):  # type: ignore[no-untyped-def]
    """Rows o_n of one head [W, D], or of several [G, W, D]; zeros from N on where masked."""
    p += o_n[:, None] * stride + tl.arange(0, D)[None, :]
    return tl.load(p, mask=o_n[:, None] < N, other=0.0) if MASKED else tl.load(p)


@triton.jit
def weights_and_gradients(b_own, b_own_v, b_other, b_other_v, b_lse, b_delta):  # type: ignore[no-untyped-def]
    """Weights p = exp(s / sqrt(D)) / sum, and p (dp - delta), of owned rows against others.

    b_own and b_other are queries and keys or keys and queries; b_own_v and b_other_v are gradients
    of the result and values, or the other way round. [.., R, W] both.
    """
    SCALE: tl.constexpr = LOG2_E / b_own.shape[-1] ** 0.5
    b_s = tl.dot(b_own, tl.trans(b_other), input_precision="ieee")  # [.., R, W]
    b_p = tl.exp2(tl.fma(b_s, SCALE, -b_lse))
    b_dp = tl.dot(b_own_v, tl.trans(b_other_v), input_precision="ieee")
    return b_p, b_p * (b_dp - b_delta)


@triton.jit
def fold_keys(  # type: ignore[no-untyped-def]
    b_q,
    b_do,
    b_lse,
    b_delta,
    p_k,
    p_v,
    start,
    N,
    stride,
    W: tl.constexpr,
    MASKED: tl.constexpr,
    b_dq,
):
    """Add what W keys from `start` on give to the gradient of queries [.., R, D]."""
    D: tl.constexpr = b_q.shape[-1]
    o_n = start + tl.arange(0, W)
    b_k = load_rows(p_k, o_n, N, stride, D, MASKED)  # [.., W, D]
    b_v = load_rows(p_v, o_n, N, stride, D, MASKED)
    _, b_ds = weights_and_gradients(b_q, b_do, b_k, b_v, b_lse, b_delta)
    if MASKED:
        # A key that is not there has score 0, whose weight may be infinite.
        b_ds = tl.where(o_n[None, :] < N, b_ds, 0.0)
    return tl.dot(b_ds.to(b_k.dtype), b_k, b_dq, input_precision="ieee")


@triton.jit
def fold_queries(  # type: ignore[no-untyped-def]
    b_k,
    b_v,
    p_q,
    p_do,
    p_lse,
    p_delta,
    start,
    N,
    stride,
    stride_do,
    W: tl.constexpr,
    MASKED: tl.constexpr,
    b_dk,
    b_dv,
):
    """Add what W queries from `start` on give to the gradients of keys and values [.., R, D]."""
    D: tl.constexpr = b_k.shape[-1]
    o_m = start + tl.arange(0, W)
    b_q = load_rows(p_q, o_m, N, stride, D, MASKED)  # [.., W, D]
    b_do = load_rows(p_do, o_m, N, stride_do, D, MASKED)
    if MASKED:
        # 2^-inf = 0: a query that is not there weighs nothing.
        m_m = o_m[None, :] < N
        b_lse = tl.load(p_lse + o_m[None, :], mask=m_m, other=float("inf"))  # [.., 1, W]
        b_delta = tl.load(p_delta + o_m[None, :], mask=m_m, other=0.0)
    else:
        b_lse = tl.load(p_lse + o_m[None, :])
        b_delta = tl.load(p_delta + o_m[None, :])
    b_p, b_ds = weights_and_gradients(b_k, b_v, b_q, b_do, b_lse, b_delta)
    b_dv = tl.dot(b_p.to(b_do.dtype), b_do, b_dv, input_precision="ieee")
    b_dk = tl.dot(b_ds.to(b_q.dtype), b_q, b_dk, input_precision="ieee")
    return b_dk, b_dv


@triton.jit
def query_rows(  # type: ignore[no-untyped-def]
    qkv,
    out,
    d_out,
    lse,
    delta,
    d_qkv,
    starts,
    i_sa,
    o_m,
    N,
    A,
    stride_n,
    stride_3,
    stride_a,
    D: tl.constexpr,
    BN: tl.constexpr,
    TAIL: tl.constexpr,
    FULL: tl.constexpr,
):
    """dQ and delta of queries o_m of one head of one sequence (i_sa a scalar), or of several."""
    i_t = tl.load(starts + i_sa // A).to(tl.int64)
    i_a = (i_sa % A).to(tl.int64)
    m_m = o_m[:, None] < N
    p_q = qkv + (i_t * stride_n + i_a * stride_a)
    p_k = p_q + stride_3
    p_v = p_k + stride_3
    o_do = (i_t * A * D + i_a * D) + (o_m[:, None] * (A * D) + tl.arange(0, D)[None, :])
    o_l = (i_t * A + i_a * N) + o_m[:, None]
    b_q = load_rows(p_q, o_m, N, stride_n, D, True)  # [.., R, D]
    b_do = tl.load(d_out + o_do, mask=m_m, other=0.0)
    b_o = tl.load(out + o_do, mask=m_m, other=0.0)
    b_lse = tl.load(lse + o_l, mask=m_m, other=float("inf"))  # [.., R, 1]
    b_delta = tl.expand_dims(tl.sum(b_do.to(tl.float32) * b_o.to(tl.float32), -1), -1)
    tl.store(delta + o_l, b_delta, mask=m_m)

    b_dq = tl.zeros(b_q.shape, tl.float32)
    n_full = N // BN * BN
    if FULL:
        tl.assume(n_full > 0)  # as in the forward pass: else every wgmma waits for itself
        for i_n in tl.range(0, n_full, BN):
            b_dq = fold_keys(b_q, b_do, b_lse, b_delta, p_k, p_v, i_n, N, stride_n, BN, False, b_dq)
    for i_w in tl.static_range(0, TAIL // 32 * 32, 32):
        i_n = n_full + i_w
        b_dq = fold_keys(b_q, b_do, b_lse, b_delta, p_k, p_v, i_n, N, stride_n, 32, True, b_dq)
    if TAIL % 32 > 0:
        i_n = n_full + TAIL // 32 * 32
        b_dq = fold_keys(b_q, b_do, b_lse, b_delta, p_k, p_v, i_n, N, stride_n, 16, True, b_dq)
    p_dq = d_qkv + (i_t * 3 * A * D + i_a * D)
    p_dq += o_m[:, None] * (3 * A * D) + tl.arange(0, D)[None, :]
    tl.store(p_dq, (b_dq * D**-0.5).to(d_qkv.dtype.element_ty), mask=m_m)


@triton.jit
def key_rows(  # type: ignore[no-untyped-def]
    qkv,
    d_out,
    lse,
    delta,
    d_qkv,
    starts,
    i_sa,
    o_n,
    N,
    A,
    stride_n,
    stride_3,
    stride_a,
    D: tl.constexpr,
    BN: tl.constexpr,
    TAIL: tl.constexpr,
    FULL: tl.constexpr,
):
    """dK and dV of keys o_n of one head of one sequence (i_sa a scalar), or of several."""
    i_t = tl.load(starts + i_sa // A).to(tl.int64)
    i_a = (i_sa % A).to(tl.int64)
    p_q = qkv + (i_t * stride_n + i_a * stride_a)
    p_do = d_out + (i_t * A * D + i_a * D)
    p_lse = lse + (i_t * A + i_a * N)
    p_delta = delta + (i_t * A + i_a * N)
    b_k = load_rows(p_q + stride_3, o_n, N, stride_n, D, True)  # [.., R, D]
    b_v = load_rows(p_q + 2 * stride_3, o_n, N, stride_n, D, True)

    b_dk = tl.zeros(b_k.shape, tl.float32)
    b_dv = tl.zeros(b_k.shape, tl.float32)
    n_full = N // BN * BN
    if FULL:
        tl.assume(n_full > 0)
        for i_m in tl.range(0, n_full, BN):
            b_dk, b_dv = fold_queries(
                b_k, b_v, p_q, p_do, p_lse, p_delta, i_m, N, stride_n, A * D, BN, False, b_dk, b_dv
            )
    for i_w in tl.static_range(0, TAIL // 32 * 32, 32):
        i_m = n_full + i_w
        b_dk, b_dv = fold_queries(
            b_k, b_v, p_q, p_do, p_lse, p_delta, i_m, N, stride_n, A * D, 32, True, b_dk, b_dv
        )
    if TAIL % 32 > 0:
        i_m = n_full + TAIL // 32 * 32
        b_dk, b_dv = fold_queries(
            b_k, b_v, p_q, p_do, p_lse, p_delta, i_m, N, stride_n, A * D, 16, True, b_dk, b_dv
        )
    m_n = o_n[:, None] < N
    p_dk = d_qkv + (i_t * 3 * A * D + A * D + i_a * D)
    p_dk += o_n[:, None] * (3 * A * D) + tl.arange(0, D)[None, :]
    tl.store(p_dk, (b_dk * D**-0.5).to(d_qkv.dtype.element_ty), mask=m_n)
    tl.store(p_dk + A * D, b_dv.to(d_qkv.dtype.element_ty), mask=m_n)


@triton.jit(do_not_specialize=["S", "N", "A"])
def query_pass_kernel(  # type: ignore[no-untyped-def]
    qkv,
    out,
    d_out,
    lse,
    delta,
    d_qkv,
    starts,
    S,
    N,
    A,
    stride_n,
    stride_3,
    stride_a,
    D: tl.constexpr,
    BM: tl.constexpr,
    BN: tl.constexpr,
    TAIL: tl.constexpr,
    FULL: tl.constexpr,
    TAIL_HEADS: tl.constexpr,
):
    """One program: BM queries of one head, or the query tails of TAIL_HEADS heads."""
    tensors = (qkv, out, d_out, lse, delta, d_qkv, starts)
    sizes = (N, A, stride_n, stride_3, stride_a)
    i_p = tl.program_id(0)
    n_blocks = tl.cdiv(N, BM)
    n_tails = 0
    if TAIL_HEADS > 0:
        n_blocks = N // BM
        n_tails = tl.cdiv(S * A, TAIL_HEADS)
    if TAIL_HEADS > 0 and i_p < n_tails:
        i_g = i_p * TAIL_HEADS + tl.arange(0, TAIL_HEADS)[:, None, None]
        i_g = tl.minimum(i_g, S * A - 1)
        o_t = n_blocks * BM + tl.arange(0, TAIL_ROWS)
        query_rows(*tensors, i_g, o_t, *sizes, D, TAIL_ROWS, TAIL_ROWS, True)
    else:
        i_sa = (i_p - n_tails) // n_blocks
        o_m = (i_p - n_tails) % n_blocks * BM + tl.arange(0, BM)
        query_rows(*tensors, i_sa, o_m, *sizes, D, BN, TAIL, FULL)


@triton.jit(do_not_specialize=["S", "N", "A"])
def key_pass_kernel(  # type: ignore[no-untyped-def]
    qkv,
    d_out,
    lse,
    delta,
    d_qkv,
    starts,
    S,
    N,
    A,
    stride_n,
    stride_3,
    stride_a,
    D: tl.constexpr,
    BM: tl.constexpr,
    BN: tl.constexpr,
    TAIL: tl.constexpr,
    FULL: tl.constexpr,
    TAIL_HEADS: tl.constexpr,
):
    """One program: BM keys of one head, or the last keys of TAIL_HEADS heads."""
    tensors = (qkv, d_out, lse, delta, d_qkv, starts)
    sizes = (N, A, stride_n, stride_3, stride_a)
    i_p = tl.program_id(0)
    n_blocks = tl.cdiv(N, BM)
    n_tails = 0
    if TAIL_HEADS > 0:
        n_blocks = N // BM
        n_tails = tl.cdiv(S * A, TAIL_HEADS)
    if TAIL_HEADS > 0 and i_p < n_tails:
        i_g = i_p * TAIL_HEADS + tl.arange(0, TAIL_HEADS)[:, None, None]
        i_g = tl.minimum(i_g, S * A - 1)
        o_t = n_blocks * BM + tl.arange(0, TAIL_ROWS)
        key_rows(*tensors, i_g, o_t, *sizes, D, TAIL_ROWS, TAIL_ROWS, True)
    else:
        i_sa = (i_p - n_tails) // n_blocks
        o_n = (i_p - n_tails) % n_blocks * BM + tl.arange(0, BM)
        key_rows(*tensors, i_sa, o_n, *sizes, D, BN, TAIL, FULL)


def launch_backward(
    qkv: Tensor,
    out: Tensor,
    d_out: Tensor,
    lse: Tensor,
    d_qkv: Tensor,
    pack: Pack,
    tiles: BackwardTiles,
) -> None:
    """Run both passes over the sequences of one length, on the tensors' device.

    Args:
        qkv: `[T, 3, A, K]`, stride 1 in the last axis, N x its token stride below 2^31.
        out: `[T, A*K]`, the forward pass's result, contiguous as all that follow.
        d_out: likewise, the gradient of it.
        lse: float32 `[T*A]`, as the forward pass kept it.
        d_qkv: `[T, 3, A, K]`; the tokens of these sequences are wholly overwritten.
        pack: which tokens.
        tiles: what one program works on.

    Raises:
        ValueError: for a K that is none of `kernels.tiles.HEAD_DIMS`.
    """
    assert qkv.stride(-1) == 1, "the kernels read whole rows"
    assert all(one.is_contiguous() for one in (out, d_out, lse, d_qkv)), "and write them"
    _, _, n_heads, head_dim = qkv.shape
    n_sequences, n_tokens = len(pack.starts), pack.n_tokens
    sizes = (pack.starts, n_sequences, n_tokens, n_heads, *qkv.stride()[:3])
    delta = torch.empty_like(lse)
    queries, keys = (variant_for(n_tokens, one, head_dim) for one in (tiles.queries, tiles.keys))
    with torch.cuda.device_of(qkv):
        query_pass_kernel[(queries.n_programs(n_sequences * n_heads, n_tokens),)](
            qkv, out, d_out, lse, delta, d_qkv, *sizes, **queries.constants, **queries.options
        )
        key_pass_kernel[(keys.n_programs(n_sequences * n_heads, n_tokens),)](
            qkv, d_out, lse, delta, d_qkv, *sizes, **keys.constants, **keys.options
        )
