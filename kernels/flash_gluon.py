"""Flash attention in Gluon for sm_90: a block's product with V runs beside the next softmax.

In: `[B, N, 3, A, K]` float16 or bfloat16. Out: the blocks of queries of `[B, N, A*K]`. The order of
a pass and its proof are in docs/decisions/attention-schedules.md. Imports triton's Gluon at its
top, which is experimental and changes between releases: it is itself imported late, and may fail.
Must not know when it is used, nor compute query tails: `kernels.flash` does.
"""

import torch
from torch import Tensor
from triton.experimental import gluon
from triton.experimental.gluon import language as gl
from triton.experimental.gluon.language.nvidia.hopper import (
    async_copy,
    fence_async_shared,
    warpgroup_mma,
    warpgroup_mma_wait,
)

from . import tiles
from .tiles import Variant

LOG2_E = gl.constexpr(tiles.LOG2_E)
# Triton 3.6 has them under other names.
copy_rows = getattr(async_copy, "async_load", None) or async_copy.async_copy_global_to_shared
barrier = getattr(gl, "barrier", None) or gl.thread_barrier


@gluon.jit
def load_rows(shared, p_rows, start, N, stride_n):  # type: ignore[no-untyped-def]
    """Start a copy of rows from `start` on into shared memory; those from N on become zeros."""
    W: gl.constexpr = shared.shape[0]
    D: gl.constexpr = shared.shape[1]
    # 8 numbers are 16 bytes, the widest copy.
    ROWS: gl.constexpr = gl.BlockedLayout([1, 8], [256 // D, D // 8], [gl.num_warps(), 1], [1, 0])
    o_n = start + gl.arange(0, W, gl.SliceLayout(1, ROWS))
    o_d = gl.arange(0, D, gl.SliceLayout(0, ROWS))
    p_rows += o_n[:, None] * stride_n + o_d[None, :]
    copy_rows(shared, p_rows, mask=(o_n < N)[:, None])


@gluon.jit
def weigh(b_s, b_m, b_l, D: gl.constexpr):  # type: ignore[no-untyped-def]
    """Weights of one block of raw scores; the running maximum, the running sum, its rescaling."""
    SCALE: gl.constexpr = LOG2_E / D**0.5
    b_m_new = gl.maximum(b_m, gl.max(b_s, 1) * SCALE)  # [BM]
    b_p = gl.exp2(gl.fma(b_s, SCALE, -b_m_new[:, None]))  # [BM, BN]
    b_alpha = gl.exp2(b_m - b_m_new)  # [BM]
    return b_p, b_m_new, b_l * b_alpha + gl.sum(b_p, 1), b_alpha


@gluon.jit
def wait_for_copies(PENDING: gl.constexpr):  # type: ignore[no-untyped-def]
    """Until all but the last groups of copies are there for every warp's products to read."""
    async_copy.wait_group(PENDING)
    fence_async_shared()
    barrier()


@gluon.jit(do_not_specialize=["N", "A", "n_blocks"])
def overlapped_fwd_kernel(  # type: ignore[no-untyped-def]
    qkv,
    out,
    N,
    A,
    n_blocks,
    stride_b,
    stride_n,
    stride_3,
    stride_a,
    D: gl.constexpr,
    BM: gl.constexpr,
    BN: gl.constexpr,
    TAIL: gl.constexpr,
    STAGES: gl.constexpr,
):
    """One program: BM queries of one head, one of its n_blocks, against BN and more keys."""
    SCORES: gl.constexpr = gl.NVMMADistributedLayout([3, 0], [gl.num_warps(), 1], [16, BN, 16])
    VALUES: gl.constexpr = gl.NVMMADistributedLayout([3, 0], [gl.num_warps(), 1], [16, D, 16])
    WEIGHTS: gl.constexpr = gl.DotOperandLayout(0, VALUES, 2)
    SCORE_ROWS: gl.constexpr = gl.SliceLayout(1, SCORES)
    VALUE_ROWS: gl.constexpr = gl.SliceLayout(1, VALUES)
    AHEAD: gl.constexpr = STAGES - 1
    dtype: gl.constexpr = qkv.dtype.element_ty
    SHARED: gl.constexpr = gl.NVMMASharedLayout.get_default_for([BN, D], dtype)

    i_ba = gl.program_id(0) // n_blocks
    i_m = gl.program_id(0) % n_blocks * BM
    i_b = (i_ba // A).to(gl.int64)
    i_a = (i_ba % A).to(gl.int64)
    p_q = qkv + (i_b * stride_b + i_a * stride_a)
    p_k = p_q + stride_3
    p_v = p_k + stride_3
    s_q = gl.allocate_shared_memory(dtype, [BM, D], SHARED)
    s_k = gl.allocate_shared_memory(dtype, [STAGES, BN, D], SHARED)
    # Values are read one pass after the keys of their block.
    s_v = gl.allocate_shared_memory(dtype, [STAGES + 1, BN, D], SHARED)
    s_l = gl.allocate_shared_memory(gl.float32, [BM], gl.SwizzledSharedLayout(1, 1, 1, [0]))

    load_rows(s_q, p_q, i_m, N, stride_n)
    for j in gl.static_range(STAGES):
        load_rows(s_k.index(j), p_k, j * BN, N, stride_n)
        load_rows(s_v.index(j), p_v, j * BN, N, stride_n)
        async_copy.commit_group()
    wait_for_copies(AHEAD)
    empty = gl.zeros([BM, BN], gl.float32, SCORES)
    b_s = warpgroup_mma(s_q, s_k.index(0).permute([1, 0]), empty, use_acc=False)
    b_l = gl.zeros([BM], gl.float32, SCORE_ROWS)
    b_p, b_m, b_l, b_alpha = weigh(b_s, b_l - float("inf"), b_l, D)
    b_w = gl.convert_layout(b_p.to(dtype), WEIGHTS)
    b_acc = gl.zeros([BM, D], gl.float32, VALUES)

    n_full = N // BN
    gl.assume(n_full > 0)
    for j in range(0, n_full - 1):
        wait_for_copies(AHEAD - 1)
        i_k = (j + 1) % STAGES
        b_s = warpgroup_mma(
            s_q, s_k.index(i_k).permute([1, 0]), empty, use_acc=False, is_async=True
        )
        b_acc = warpgroup_mma(b_w, s_v.index(j % (STAGES + 1)), b_acc, is_async=True)
        i_n = j + STAGES
        load_rows(s_k.index(i_n % STAGES), p_k, i_n * BN, N, stride_n)
        load_rows(s_v.index(i_n % (STAGES + 1)), p_v, i_n * BN, N, stride_n)
        async_copy.commit_group()
        b_s = warpgroup_mma_wait(1, deps=[b_s])
        b_p, b_m, b_l, b_alpha = weigh(b_s, b_m, b_l, D)
        # Nobody reads it. ptxas moves the wait in front of arithmetic, but not of a store.
        s_l.store(b_l)
        b_acc = warpgroup_mma_wait(0, deps=[b_acc])
        b_acc *= gl.convert_layout(b_alpha, VALUE_ROWS)[:, None]
        b_w = gl.convert_layout(b_p.to(dtype), WEIGHTS)

    wait_for_copies(0)
    b_v = s_v.index((n_full - 1) % (STAGES + 1))
    if TAIL > 0:
        TAIL_SCORES: gl.constexpr = gl.NVMMADistributedLayout(
            [3, 0], [gl.num_warps(), 1], [16, TAIL, 16]
        )
        TAIL_ROWS: gl.constexpr = gl.SliceLayout(1, TAIL_SCORES)
        s_kt = s_k.index(n_full % STAGES).slice(0, TAIL)
        s_vt = s_v.index(n_full % (STAGES + 1)).slice(0, TAIL)
        none = gl.zeros([BM, TAIL], gl.float32, TAIL_SCORES)
        b_t = warpgroup_mma(s_q, s_kt.permute([1, 0]), none, use_acc=False, is_async=True)
        b_acc = warpgroup_mma(b_w, b_v, b_acc, is_async=True)
        b_t = warpgroup_mma_wait(1, deps=[b_t])
        o_t = n_full * BN + gl.arange(0, TAIL, gl.SliceLayout(0, TAIL_SCORES))
        b_t = gl.where((o_t < N)[None, :], b_t, -float("inf"))
        b_m = gl.convert_layout(b_m, TAIL_ROWS)
        b_l = gl.convert_layout(b_l, TAIL_ROWS)
        b_p, b_m, b_l, b_alpha = weigh(b_t, b_m, b_l, D)
        b_acc = warpgroup_mma_wait(0, deps=[b_acc])
        b_acc *= gl.convert_layout(b_alpha, VALUE_ROWS)[:, None]
        b_w = gl.convert_layout(b_p.to(dtype), WEIGHTS)
        b_acc = warpgroup_mma(b_w, s_vt, b_acc, is_async=True)
    else:
        b_acc = warpgroup_mma(b_w, b_v, b_acc, is_async=True)
    b_acc = warpgroup_mma_wait(0, deps=[b_acc])
    b_o = b_acc * gl.convert_layout(1.0 / b_l, VALUE_ROWS)[:, None]
    o_m = i_m + gl.arange(0, BM, VALUE_ROWS)
    o_d = gl.arange(0, D, gl.SliceLayout(0, VALUES))
    p_o = out + (i_b * N * A * D + i_a * D) + (o_m[:, None] * (A * D) + o_d[None, :])
    gl.store(p_o, b_o.to(dtype), mask=(o_m < N)[:, None])


def launch_blocks(qkv: Tensor, out: Tensor, variant: Variant) -> None:
    """Run the kernel on the tensors' device, which has to be an sm_90.

    Args:
        qkv: `[B, N, 3, A, K]` float16 or bfloat16, as `kernels.flash.launch` takes it, and aligned.
        out: contiguous `[B, N, A*K]`; overwritten but for the query tail.
        variant: of these N, with at least one full block of keys.

    Raises:
        Exception: whatever Gluon says where this triton or this chip does not compile it.
    """
    n_batch, n_tokens, _, n_heads, _ = qkv.shape
    n_blocks = variant.n_blocks(n_tokens)
    with torch.cuda.device_of(qkv):
        overlapped_fwd_kernel[(n_batch * n_heads * n_blocks,)](
            qkv,
            out,
            n_tokens,
            n_heads,
            n_blocks,
            *qkv.stride()[:4],
            **constants(variant),
            **variant.options,
        )


def constants(variant: Variant) -> dict[str, int]:
    """The kernel's compile-time arguments; a tail of keys is one block, so a power of two."""
    tile = variant.tile
    return {
        "D": variant.head_dim,
        "BM": tile.block_q,
        "BN": tile.block_kv,
        "TAIL": 1 << (variant.tail - 1).bit_length() if variant.tail else 0,
        "STAGES": tile.num_stages,
    }
