"""Flash attention in Gluon for sm_90 where all keys of a query fit in registers: N up to 272.

In: `[B, N, 3, A, K]` float16 or bfloat16. Out: the blocks of queries of `[B, N, A*K]`. One maximum,
one exponential a score, one sum: nothing is rescaled. docs/decisions/attention-schedules.md.
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
    highest,
    hold_order,
    issue_scores,
    load_rows,
    power,
    product_layout,
    store_rows,
    wait_for_copies,
    without_missing_keys,
)


@gluon.jit(do_not_specialize=["N", "A", "n_blocks"])
def whole_row_fwd_kernel(  # type: ignore[no-untyped-def]
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
):
    """One program: BM queries of one head, one of its n_blocks, against BN + TAIL keys at once."""
    SUMS: gl.constexpr = gl.SliceLayout(1, product_layout(BN, gl.num_warps()))
    dtype: gl.constexpr = qkv.dtype.element_ty
    SHARED: gl.constexpr = gl.NVMMASharedLayout.get_default_for([BN, D], dtype)

    i_ba = gl.program_id(0) // n_blocks
    i_m = gl.program_id(0) % n_blocks * BM
    p_q = first_row(qkv, i_ba, A, stride_b, stride_a)
    p_k = p_q + stride_3
    p_v = p_k + stride_3
    s_q = gl.allocate_shared_memory(dtype, [BM, D], SHARED)
    s_k = gl.allocate_shared_memory(dtype, [BN, D], SHARED)
    s_v = gl.allocate_shared_memory(dtype, [BN, D], SHARED)
    if TAIL > 0:
        s_kt = gl.allocate_shared_memory(dtype, [TAIL, D], SHARED)
        s_vt = gl.allocate_shared_memory(dtype, [TAIL, D], SHARED)
    s_l = gl.allocate_shared_memory(gl.float32, [BM], gl.SwizzledSharedLayout(1, 1, 1, [0]))

    load_rows(s_q, p_q, i_m, N, stride_n)
    load_rows(s_k, p_k, 0, N, stride_n)
    if TAIL > 0:
        load_rows(s_kt, p_k, BN, N, stride_n)
    async_copy.commit_group()
    load_rows(s_v, p_v, 0, N, stride_n)
    if TAIL > 0:
        load_rows(s_vt, p_v, BN, N, stride_n)
    async_copy.commit_group()

    # Values are on their way until the weights are there.
    wait_for_copies(1)
    b_s = issue_scores(s_q, s_k)
    if TAIL > 0:
        TAIL_SUMS: gl.constexpr = gl.SliceLayout(1, product_layout(TAIL, gl.num_warps()))
        b_s, b_t = warpgroup_mma_wait(0, deps=[b_s, issue_scores(s_q, s_kt)])
        b_t = without_missing_keys(b_t, BN, N)
        b_m = gl.maximum(highest(b_s, D), gl.convert_layout(highest(b_t, D), SUMS))  # [BM]
        b_p = power(b_s, b_m, D)  # [BM, BN]
        b_pt = power(b_t, gl.convert_layout(b_m, TAIL_SUMS), D)  # [BM, TAIL]
        b_l = gl.sum(b_p, 1) + gl.convert_layout(gl.sum(b_pt, 1), SUMS)
        b_wt = as_operand(b_pt, dtype, D)
    else:
        b_s = warpgroup_mma_wait(0, deps=[b_s])
        b_p = power(b_s, highest(b_s, D), D)
        b_l = gl.sum(b_p, 1)
    b_w = as_operand(b_p, dtype, D)
    hold_order(s_l, b_l)

    wait_for_copies(0)
    empty = gl.zeros([BM, D], gl.float32, product_layout(D, gl.num_warps()))
    b_acc = warpgroup_mma(b_w, s_v, empty, use_acc=False, is_async=True)
    if TAIL > 0:
        b_acc = warpgroup_mma(b_wt, s_vt, b_acc, is_async=True)
    b_acc = warpgroup_mma_wait(0, deps=[b_acc])
    p_o = first_row(out, i_ba, A, N * A * D, D)
    store_rows(p_o, b_acc, b_l, i_m, N, A * D)
