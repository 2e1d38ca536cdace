"""Flash attention in Gluon for sm_90: a block's product with V runs beside the next softmax.

In: `[B, N, 3, A, K]` float16 or bfloat16. Out: the blocks of queries of `[B, N, A*K]`. The order of
a pass and its proof are in docs/decisions/attention-schedules.md.
Must not know when it is used, nor compute query tails: `kernels.flash` does.
"""

from triton.experimental import gluon
from triton.experimental.gluon import language as gl
from triton.experimental.gluon.language.nvidia.hopper import (
    async_copy,
    warpgroup_mma,
    warpgroup_mma_wait,
)

from .gluon_rows import (
    as_operand,
    first_row,
    hold_order,
    issue_scores,
    load_rows,
    product_layout,
    store_rows,
    wait_for_copies,
    weigh,
    weigh_tail,
)


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
    VALUES: gl.constexpr = product_layout(D, gl.num_warps())
    SUMS: gl.constexpr = gl.SliceLayout(1, product_layout(BN, gl.num_warps()))
    FACTORS: gl.constexpr = gl.SliceLayout(1, VALUES)
    AHEAD: gl.constexpr = STAGES - 1
    dtype: gl.constexpr = qkv.dtype.element_ty
    SHARED: gl.constexpr = gl.NVMMASharedLayout.get_default_for([BN, D], dtype)

    i_ba = gl.program_id(0) // n_blocks
    i_m = gl.program_id(0) % n_blocks * BM
    p_q = first_row(qkv, i_ba, A, stride_b, stride_a)
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
    b_s = warpgroup_mma_wait(0, deps=[issue_scores(s_q, s_k.index(0))])
    b_l = gl.zeros([BM], gl.float32, SUMS)
    b_p, b_m, b_l, b_alpha = weigh(b_s, b_l - float("inf"), b_l, D)
    b_w = as_operand(b_p, dtype, D)
    b_acc = gl.zeros([BM, D], gl.float32, VALUES)

    n_full = N // BN
    gl.assume(n_full > 0)
    for j in range(0, n_full - 1):
        wait_for_copies(AHEAD - 1)
        b_s = issue_scores(s_q, s_k.index((j + 1) % STAGES))
        b_acc = warpgroup_mma(b_w, s_v.index(j % (STAGES + 1)), b_acc, is_async=True)
        i_n = j + STAGES
        load_rows(s_k.index(i_n % STAGES), p_k, i_n * BN, N, stride_n)
        load_rows(s_v.index(i_n % (STAGES + 1)), p_v, i_n * BN, N, stride_n)
        async_copy.commit_group()
        b_s = warpgroup_mma_wait(1, deps=[b_s])
        b_p, b_m, b_l, b_alpha = weigh(b_s, b_m, b_l, D)
        hold_order(s_l, b_l)
        b_acc = warpgroup_mma_wait(0, deps=[b_acc])
        b_acc *= gl.convert_layout(b_alpha, FACTORS)[:, None]
        b_w = as_operand(b_p, dtype, D)

    wait_for_copies(0)
    b_v = s_v.index((n_full - 1) % (STAGES + 1))
    if TAIL > 0:
        b_s = issue_scores(s_q, s_k.index(n_full % STAGES).slice(0, TAIL))
        b_acc = warpgroup_mma(b_w, b_v, b_acc, is_async=True)
        b_s = warpgroup_mma_wait(1, deps=[b_s])
        b_p, b_m, b_l, b_alpha = weigh_tail(b_s, n_full * BN, N, b_m, b_l, D)
        hold_order(s_l, b_l)
        b_acc = warpgroup_mma_wait(0, deps=[b_acc])
        b_acc *= gl.convert_layout(b_alpha, FACTORS)[:, None]
        b_w = as_operand(b_p, dtype, D)
        b_v = s_v.index(n_full % (STAGES + 1)).slice(0, TAIL)
    b_acc = warpgroup_mma(b_w, b_v, b_acc, is_async=True)
    b_acc = warpgroup_mma_wait(0, deps=[b_acc])
    p_o = first_row(out, i_ba, A, N * A * D, D)
    store_rows(p_o, b_acc, b_l, i_m, N, A * D)
