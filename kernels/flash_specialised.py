"""Flash attention in Gluon for sm_90: one group of warps copies, two others compute.

In: `[B, N, 3, A, K]` float16 or bfloat16. Out: the blocks of queries of `[B, N, A*K]`. Each group
that computes has 64 queries and goes at its own pace, in the order of `kernels.flash_overlapped`.
Must not know when it is used, nor compute query tails: `kernels.flash` does.
"""

from triton.experimental import gluon
from triton.experimental.gluon import language as gl
from triton.experimental.gluon.language.nvidia.hopper import (
    async_copy,
    fence_async_shared,
    mbarrier,
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
    weigh,
    weigh_tail,
)

GROUP_WARPS = gl.constexpr(4)
GROUP_THREADS = gl.constexpr(128)
# Of a thread. Three groups begin with 168 each; with 40 the one that copies spills (116 bytes).
COPYING_REGISTERS = gl.constexpr(56)
COMPUTING_REGISTERS = gl.constexpr(224)


@gluon.jit
def ring_of_barriers(STAGES: gl.constexpr, count: gl.constexpr):  # type: ignore[no-untyped-def]
    """A barrier for every place of a ring; so many arrivals end one of its phases."""
    ring = gl.allocate_shared_memory(gl.int64, [STAGES, 1], mbarrier.MBarrierLayout())
    for i in gl.static_range(STAGES):
        mbarrier.init(ring.index(i), count=count)
    return ring


@gluon.jit
def wait_until_ready(ring, j):  # type: ignore[no-untyped-def]
    """Until the copies of block j are there for this group's products to read."""
    STAGES: gl.constexpr = ring.shape[0]
    mbarrier.wait(ring.index(j % STAGES), j // STAGES & 1)
    fence_async_shared()


@gluon.jit
def load_block(ring, ready, free, p_rows, j, N, stride_n):  # type: ignore[no-untyped-def]
    """Copy block j to its place once both groups have done with what was there."""
    STAGES: gl.constexpr = ring.shape[0]
    i = j % STAGES
    mbarrier.wait(free.index(i), j // STAGES & 1 ^ 1)
    load_rows(ring.index(i), p_rows, j * ring.shape[1], N, stride_n)
    # Every thread arrives when its own copies are there, without waiting for them here.
    async_copy.mbarrier_arrive(ready.index(i), increment_count=False)


@gluon.jit
def copy_blocks(s_q, rings, p_q, start, N, stride_3, stride_n):  # type: ignore[no-untyped-def]
    """The group that copies: the program's queries, then all keys and values block by block."""
    s_k, s_v, ready_q, ready_k, ready_v, free_k, free_v = rings
    BN: gl.constexpr = s_k.shape[1]
    p_k = p_q + stride_3
    p_v = p_k + stride_3
    load_rows(s_q, p_q, start, N, stride_n)
    async_copy.mbarrier_arrive(ready_q.index(0), increment_count=False)
    for j in range(0, (N + BN - 1) // BN):
        load_block(s_k, ready_k, free_k, p_k, j, N, stride_n)
        load_block(s_v, ready_v, free_v, p_v, j, N, stride_n)


@gluon.jit
def attend(rows, rings, p_o, N, stride_o, TAIL: gl.constexpr):  # type: ignore[no-untyped-def]
    """A group that computes: its rows of queries against BN and more keys."""
    s_q, s_l, start = rows
    s_k, s_v, ready_q, ready_k, ready_v, free_k, free_v = rings
    BM: gl.constexpr = s_q.shape[0]
    D: gl.constexpr = s_q.shape[1]
    STAGES: gl.constexpr = s_k.shape[0]
    BN: gl.constexpr = s_k.shape[1]
    VALUES: gl.constexpr = product_layout(D, gl.num_warps())
    SUMS: gl.constexpr = gl.SliceLayout(1, product_layout(BN, gl.num_warps()))
    FACTORS: gl.constexpr = gl.SliceLayout(1, VALUES)
    dtype: gl.constexpr = s_q.dtype

    wait_until_ready(ready_q, 0)
    wait_until_ready(ready_k, 0)
    b_s = warpgroup_mma_wait(0, deps=[issue_scores(s_q, s_k.index(0))])
    mbarrier.arrive(free_k.index(0), count=1)
    b_l = gl.zeros([BM], gl.float32, SUMS)
    b_p, b_m, b_l, b_alpha = weigh(b_s, b_l - float("inf"), b_l, D)
    b_w = as_operand(b_p, dtype, D)
    b_acc = gl.zeros([BM, D], gl.float32, VALUES)

    n_full = N // BN
    gl.assume(n_full > 0)
    for j in range(0, n_full - 1):
        i_k = (j + 1) % STAGES
        i_v = j % STAGES
        wait_until_ready(ready_k, j + 1)
        wait_until_ready(ready_v, j)
        b_s = issue_scores(s_q, s_k.index(i_k))
        b_acc = warpgroup_mma(b_w, s_v.index(i_v), b_acc, is_async=True)
        b_s = warpgroup_mma_wait(1, deps=[b_s])
        mbarrier.arrive(free_k.index(i_k), count=1)
        b_p, b_m, b_l, b_alpha = weigh(b_s, b_m, b_l, D)
        hold_order(s_l, b_l)
        b_acc = warpgroup_mma_wait(0, deps=[b_acc])
        mbarrier.arrive(free_v.index(i_v), count=1)
        b_acc *= gl.convert_layout(b_alpha, FACTORS)[:, None]
        b_w = as_operand(b_p, dtype, D)

    b_v = s_v.index((n_full - 1) % STAGES)
    wait_until_ready(ready_v, n_full - 1)
    if TAIL > 0:
        wait_until_ready(ready_k, n_full)
        b_s = issue_scores(s_q, s_k.index(n_full % STAGES).slice(0, TAIL))
        b_acc = warpgroup_mma(b_w, b_v, b_acc, is_async=True)
        b_s = warpgroup_mma_wait(1, deps=[b_s])
        b_p, b_m, b_l, b_alpha = weigh_tail(b_s, n_full * BN, N, b_m, b_l, D)
        hold_order(s_l, b_l)
        b_acc = warpgroup_mma_wait(0, deps=[b_acc])
        b_acc *= gl.convert_layout(b_alpha, FACTORS)[:, None]
        b_w = as_operand(b_p, dtype, D)
        wait_until_ready(ready_v, n_full)
        b_v = s_v.index(n_full % STAGES).slice(0, TAIL)
    b_acc = warpgroup_mma(b_w, b_v, b_acc, is_async=True)
    b_acc = warpgroup_mma_wait(0, deps=[b_acc])
    store_rows(p_o, b_acc, b_l, start, N, stride_o)


@gluon.jit(do_not_specialize=["N", "A", "n_blocks"])
def specialised_fwd_kernel(  # type: ignore[no-untyped-def]
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
    dtype: gl.constexpr = qkv.dtype.element_ty
    SHARED: gl.constexpr = gl.NVMMASharedLayout.get_default_for([BN, D], dtype)

    i_ba = gl.program_id(0) // n_blocks
    i_m = gl.program_id(0) % n_blocks * BM
    p_q = first_row(qkv, i_ba, A, stride_b, stride_a)
    p_o = first_row(out, i_ba, A, N * A * D, D)
    s_q = gl.allocate_shared_memory(dtype, [BM, D], SHARED)
    s_k = gl.allocate_shared_memory(dtype, [STAGES, BN, D], SHARED)
    s_v = gl.allocate_shared_memory(dtype, [STAGES, BN, D], SHARED)
    s_l = gl.allocate_shared_memory(gl.float32, [BM], gl.SwizzledSharedLayout(1, 1, 1, [0]))
    rings = (
        s_k,
        s_v,
        ring_of_barriers(1, GROUP_THREADS),  # queries are there
        ring_of_barriers(STAGES, GROUP_THREADS),  # a block of keys is there
        ring_of_barriers(STAGES, GROUP_THREADS),  # its values are
        ring_of_barriers(STAGES, 2),  # both groups have done with a block's keys
        ring_of_barriers(STAGES, 2),  # with its values
    )

    # The first group has the warps that the kernel begins with.
    HALF: gl.constexpr = BM // 2
    first = (s_q.slice(0, HALF), s_l.slice(0, HALF), i_m)
    second = (s_q.slice(HALF, HALF), s_l.slice(HALF, HALF), i_m + HALF)
    gl.warp_specialize(
        [
            (attend, (first, rings, p_o, N, A * D, TAIL)),
            (attend, (second, rings, p_o, N, A * D, TAIL)),
            (copy_blocks, (s_q, rings, p_q, i_m, N, stride_3, stride_n)),
        ],
        [GROUP_WARPS, GROUP_WARPS],
        [COMPUTING_REGISTERS, COPYING_REGISTERS],
    )
