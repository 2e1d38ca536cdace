"""Rows of queries, keys and values in Gluon: how they come in, are multiplied, and go out.

What the schedules of sm_90 have in common: `kernels.flash_overlapped` and its neighbours. Imports
triton's Gluon at its top, which is experimental and changes between releases: whoever imports this
is itself imported late, and may fail. Must not know in which order anything is called.
"""

from triton.experimental import gluon
from triton.experimental.gluon import language as gl
from triton.experimental.gluon.language.nvidia.hopper import (
    async_copy,
    fence_async_shared,
    warpgroup_mma,
)

from . import tiles

LOG2_E = gl.constexpr(tiles.LOG2_E)
# Triton 3.6 has them under other names.
copy_rows = getattr(async_copy, "async_load", None) or async_copy.async_copy_global_to_shared
barrier = getattr(gl, "barrier", None) or gl.thread_barrier


@gluon.constexpr_function
def product_layout(n_columns, num_warps):  # type: ignore[no-untyped-def]
    """Registers of a product of that many columns, 16 rows a warp at a time."""
    return gl.NVMMADistributedLayout([3, 0], [num_warps, 1], [16, n_columns, 16])


@gluon.jit
def first_row(p_x, i_ba, A, stride_b, stride_a):  # type: ignore[no-untyped-def]
    """Pointer to the first row of a head, the i_ba-th of all images' heads."""
    i_b = (i_ba // A).to(gl.int64)
    i_a = (i_ba % A).to(gl.int64)
    return p_x + (i_b * stride_b + i_a * stride_a)


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
def wait_for_copies(PENDING: gl.constexpr):  # type: ignore[no-untyped-def]
    """Until all but the last groups of copies are there for every warp's products to read."""
    async_copy.wait_group(PENDING)
    fence_async_shared()
    barrier()


@gluon.jit
def issue_scores(s_q, s_k):  # type: ignore[no-untyped-def]
    """Start the product of queries [BM, D] with keys [BN, D]; whoever reads it waits for it."""
    BM: gl.constexpr = s_q.shape[0]
    BN: gl.constexpr = s_k.shape[0]
    empty = gl.zeros([BM, BN], gl.float32, product_layout(BN, gl.num_warps()))
    return warpgroup_mma(s_q, s_k.permute([1, 0]), empty, use_acc=False, is_async=True)


@gluon.jit
def without_missing_keys(b_s, start, N):  # type: ignore[no-untyped-def]
    """Scores of keys from `start` on: minus infinity for those from N on, whose weights are 0."""
    COLUMNS: gl.constexpr = gl.SliceLayout(0, b_s.type.layout)
    o_n = start + gl.arange(0, b_s.shape[1], COLUMNS)
    return gl.where((o_n < N)[None, :], b_s, -float("inf"))


@gluon.jit
def highest(b_s, D: gl.constexpr):  # type: ignore[no-untyped-def]
    """The greatest of each row of raw scores as an exponent of 2, [BM]."""
    return gl.max(b_s, 1) * (LOG2_E / D**0.5)


@gluon.jit
def power(b_s, b_m, D: gl.constexpr):  # type: ignore[no-untyped-def]
    """Weights of raw scores [BM, BN] beside a score whose exponent is b_m and whose weight is 1."""
    SCALE: gl.constexpr = LOG2_E / D**0.5
    return gl.exp2(gl.fma(b_s, SCALE, -b_m[:, None]))


@gluon.jit
def weigh(b_s, b_m, b_l, D: gl.constexpr):  # type: ignore[no-untyped-def]
    """Weights of one block of raw scores; the running maximum, the running sum, its rescaling."""
    b_m_new = gl.maximum(b_m, highest(b_s, D))  # [BM]
    b_p = power(b_s, b_m_new, D)  # [BM, BN]
    b_alpha = gl.exp2(b_m - b_m_new)  # [BM]
    return b_p, b_m_new, b_l * b_alpha + gl.sum(b_p, 1), b_alpha


@gluon.jit
def weigh_tail(b_s, start, N, b_m, b_l, D: gl.constexpr):  # type: ignore[no-untyped-def]
    """The same of the last keys, those from `start` on, whose layout is another."""
    SUMS: gl.constexpr = gl.SliceLayout(1, b_s.type.layout)
    b_s = without_missing_keys(b_s, start, N)
    return weigh(b_s, gl.convert_layout(b_m, SUMS), gl.convert_layout(b_l, SUMS), D)


@gluon.jit
def hold_order(s_x, b_x):  # type: ignore[no-untyped-def]
    """Keep what b_x is computed from in front of the next wait. Nobody reads s_x."""
    # ptxas moves a wait in front of arithmetic, but not in front of a store.
    s_x.store(b_x)


@gluon.jit
def as_operand(b_p, dtype: gl.constexpr, D: gl.constexpr):  # type: ignore[no-untyped-def]
    """Weights as the product with V reads them, from registers."""
    VALUES: gl.constexpr = product_layout(D, gl.num_warps())
    return gl.convert_layout(b_p.to(dtype), gl.DotOperandLayout(0, VALUES, 2))


@gluon.jit
def store_rows(p_rows, b_acc, b_l, start, N, stride_n):  # type: ignore[no-untyped-def]
    """Divide weighted values [BM, D] by their sums, and write those rows that are before N."""
    BM: gl.constexpr = b_acc.shape[0]
    D: gl.constexpr = b_acc.shape[1]
    ROWS: gl.constexpr = gl.SliceLayout(1, b_acc.type.layout)
    b_o = b_acc * gl.convert_layout(1.0 / b_l, ROWS)[:, None]
    o_m = start + gl.arange(0, BM, ROWS)
    o_d = gl.arange(0, D, gl.SliceLayout(0, b_acc.type.layout))
    p_rows += o_m[:, None] * stride_n + o_d[None, :]
    gl.store(p_rows, b_o.to(p_rows.dtype.element_ty), mask=(o_m < N)[:, None])
