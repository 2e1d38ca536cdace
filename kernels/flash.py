"""Flash attention in Triton: one pass over the fused projection, no score matrix in memory.

In: `[B, N, 3, A, K]` on a CUDA device. Out: `[B, N, A*K]`. Two layers: the jit kernel, and the
launcher that picks tiles and allocates. The mathematics is in docs/attention.md. The same kernel
serves sequences of one pack and keeps what a gradient needs: see `kernels.flash_packed`.
Imports triton at its top, so it is itself imported late.
Must not know when it is used: `kernels.attention` decides.
"""

import functools
import logging

import torch
import triton
import triton.language as tl
from torch import Tensor

from . import tiles
from .device import architecture, triton_obstacle
from .packs import Pack
from .tiles import MIN_DOT, Tile, select_tile, variant_for

LOG2_E = tl.constexpr(tiles.LOG2_E)
TAIL_ROWS = tl.constexpr(MIN_DOT)

_log = logging.getLogger(__name__)


@triton.jit
def online_softmax_step(b_s, b_v, b_m, b_l, b_acc):  # type: ignore[no-untyped-def]
    """Fold one block of raw scores into the running maximum, sum and weighted values."""
    # exp(s / sqrt(D)) = exp2(s * SCALE), and exp2 is one hardware instruction.
    SCALE: tl.constexpr = LOG2_E / b_v.shape[-1] ** 0.5
    b_m_new = tl.maximum(b_m, tl.max(b_s, -1) * SCALE)  # [.., BM]
    # An explicit fma: the compiler's own fusion of s * SCALE - m is off by default from 3.10 on.
    b_p = tl.exp2(tl.fma(b_s, SCALE, -tl.expand_dims(b_m_new, -1)))  # [.., BM, BN]
    b_alpha = tl.exp2(b_m - b_m_new)  # [.., BM]
    b_l = b_l * b_alpha + tl.sum(b_p, -1)
    b_acc = b_acc * tl.expand_dims(b_alpha, -1)  # [.., BM, D]
    b_acc = tl.dot(b_p.to(b_v.dtype), b_v, b_acc, input_precision="ieee")
    return b_m_new, b_l, b_acc


@triton.jit
def tail_step(  # type: ignore[no-untyped-def]
    b_q, p_k, p_v, start, N, stride_n, W: tl.constexpr, b_m, b_l, b_acc
):
    """Fold W keys from `start` on into the running values; those from N on count nothing."""
    o_n = start + tl.arange(0, W)
    o_d = tl.arange(0, b_q.shape[-1])
    m_n = o_n < N
    p_k += o_n[None, :] * stride_n + o_d[:, None]
    p_v += o_n[:, None] * stride_n + o_d[None, :]
    b_k = tl.load(p_k, mask=m_n[None, :], other=0.0)  # [.., D, W]
    b_v = tl.load(p_v, mask=m_n[:, None], other=0.0)  # [.., W, D]
    b_s = tl.dot(b_q, b_k, input_precision="ieee")  # [.., BM, W]
    b_s = tl.where(m_n[None, :], b_s, -float("inf"))
    return online_softmax_step(b_s, b_v, b_m, b_l, b_acc)


@triton.jit
def attend(  # type: ignore[no-untyped-def]
    b_q, p_k, p_v, N, stride_n, BN: tl.constexpr, TAIL: tl.constexpr, FULL: tl.constexpr
):
    """Attention of queries [BM, D] over all keys of one head, or [G, BM, D] of G heads at once.

    p_k and p_v point to the head's first key and value: a scalar, or [G, 1, 1]. Beside the result
    the log2 of the sum of 2^(scaled score) over the keys, [.., BM].
    """
    o_n = tl.arange(0, BN)
    o_d = tl.arange(0, b_q.shape[-1])
    b_acc = tl.zeros(b_q.shape, tl.float32)  # [.., BM, D]
    b_l = tl.zeros(b_q.shape[:-1], tl.float32)  # [.., BM]
    b_m = b_l - float("inf")

    n_full = N // BN * BN
    if FULL:
        # Without this promise ptxas serialises every wgmma (C7515): the loop that runs no time
        # would leave accumulators that no wgmma wrote.
        tl.assume(n_full > 0)
        for i_n in tl.range(0, n_full, BN):
            o_kv = i_n + o_n
            b_k = tl.load(p_k + (o_kv[None, :] * stride_n + o_d[:, None]))  # [.., D, BN]
            b_v = tl.load(p_v + (o_kv[:, None] * stride_n + o_d[None, :]))  # [.., BN, D]
            b_s = tl.dot(b_q, b_k, input_precision="ieee")  # [.., BM, BN]
            b_m, b_l, b_acc = online_softmax_step(b_s, b_v, b_m, b_l, b_acc)

    # 64 at once would spill on sm_90, and 33 keys left over need 48 only.
    for i_t in tl.static_range(0, TAIL // 32 * 32, 32):
        b_m, b_l, b_acc = tail_step(b_q, p_k, p_v, n_full + i_t, N, stride_n, 32, b_m, b_l, b_acc)
    if TAIL % 32 > 0:
        i_t = n_full + TAIL // 32 * 32
        b_m, b_l, b_acc = tail_step(b_q, p_k, p_v, i_t, N, stride_n, 16, b_m, b_l, b_acc)
    return b_acc * tl.expand_dims(1.0 / b_l, -1), b_m + tl.log2(b_l)


@triton.jit
def attend_rows(  # type: ignore[no-untyped-def]
    qkv,
    out,
    lse,
    starts,
    i_ba,
    o_m,
    N,
    A,
    stride_b,
    stride_n,
    stride_3,
    stride_a,
    D: tl.constexpr,
    BN: tl.constexpr,
    TAIL: tl.constexpr,
    FULL: tl.constexpr,
):
    """Queries o_m of one head of one image (i_ba a scalar), or of several (i_ba [G, 1, 1])."""
    i_b = (i_ba // A).to(tl.int64)
    i_a = (i_ba % A).to(tl.int64)
    m_m = o_m[:, None] < N
    o_d = tl.arange(0, D)
    if starts is None:
        i_t = i_b * N
        p_q = qkv + (i_b * stride_b + i_a * stride_a)
    else:
        i_t = tl.load(starts + i_b).to(tl.int64)
        p_q = qkv + (i_t * stride_n + i_a * stride_a)
    p_k = p_q + stride_3
    b_q = tl.load(p_q + (o_m[:, None] * stride_n + o_d[None, :]), mask=m_m, other=0.0)
    b_o, b_lse = attend(b_q, p_k, p_k + stride_3, N, stride_n, BN, TAIL, FULL)  # [.., BM, D]
    p_o = out + (i_t * A * D + i_a * D) + (o_m[:, None] * (A * D) + o_d[None, :])
    tl.store(p_o, b_o.to(out.dtype.element_ty), mask=m_m)
    if lse is not None:
        p_l = tl.reshape(lse + (i_t * A + i_a * N) + o_m[:, None], b_lse.shape)
        tl.store(p_l, b_lse, mask=o_m < N)


# B, N and A are kept out of specialisation: a new frame size must not mean a new compilation.
@triton.jit(do_not_specialize=["B", "N", "A"])
def attention_fwd_kernel(  # type: ignore[no-untyped-def]
    qkv,
    out,
    lse,
    starts,
    B,
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
    FULL: tl.constexpr,
    TAIL_HEADS: tl.constexpr,
):
    """One program: BM queries of one head, or the query tails of TAIL_HEADS heads.

    lse: float32, of every sequence [A, N] one behind the other, or None. starts: int32 [B], first
    token of each sequence in a pack, or None where images lie stride_b apart.
    """
    strides = (stride_b, stride_n, stride_3, stride_a)
    i_p = tl.program_id(0)
    n_blocks = tl.cdiv(N, BM)
    n_tails = 0
    if TAIL_HEADS > 0:
        n_blocks = N // BM
        n_tails = tl.cdiv(B * A, TAIL_HEADS)
    # Tails come first: they are few and take the longest.
    if TAIL_HEADS > 0 and i_p < n_tails:
        i_g = i_p * TAIL_HEADS + tl.arange(0, TAIL_HEADS)[:, None, None]
        # Warps without a head of their own do the last one again and write the same bits.
        i_g = tl.minimum(i_g, B * A - 1)
        o_t = n_blocks * BM + tl.arange(0, TAIL_ROWS)
        attend_rows(qkv, out, lse, starts, i_g, o_t, N, A, *strides, D, TAIL_ROWS, TAIL_ROWS, True)
    else:
        i_ba = (i_p - n_tails) // n_blocks
        o_m = (i_p - n_tails) % n_blocks * BM + tl.arange(0, BM)
        attend_rows(qkv, out, lse, starts, i_ba, o_m, N, A, *strides, D, BN, TAIL, FULL)


def launch(qkv: Tensor, out: Tensor, tile: Tile) -> None:
    """Run the kernel on the tensors' device.

    Args:
        qkv: `[B, N, 3, A, K]` float16, bfloat16 or float32; stride 1 in the last axis, and
            N x its token stride below 2^31; K one of `kernels.tiles.HEAD_DIMS`.
        out: contiguous `[B, N, A*K]` of the same dtype and device; wholly overwritten.
        tile: what one program works on.

    Raises:
        ValueError: for another K.
    """
    assert qkv.stride(-1) == 1, "the kernel reads whole rows"
    assert out.is_contiguous(), "the kernel writes whole rows"
    n_batch, n_tokens, _, n_heads, head_dim = qkv.shape
    variant = variant_for(n_tokens, tile, head_dim)
    n_programs = variant.n_programs(n_batch * n_heads, n_tokens)
    if variant.in_gluon:
        from .flash_gluon import launch_blocks

        launch_blocks(qkv, out, variant)
        # Programs of query tails come first; they are all that is left.
        variant = variant_for(n_tokens, tile.alternating, head_dim)
        n_programs = variant.n_tail_programs(n_batch * n_heads)
        if n_programs == 0:
            return
    with torch.cuda.device_of(qkv):
        attention_fwd_kernel[(n_programs,)](
            qkv,
            out,
            None,
            None,
            n_batch,
            n_tokens,
            n_heads,
            *qkv.stride()[:4],
            **variant.constants,
            **variant.options,
        )


def launch_pack(qkv: Tensor, out: Tensor, lse: Tensor, pack: Pack, tile: Tile) -> None:
    """Run Triton's kernel over the sequences of one length of a pack, and keep its sums.

    Args:
        qkv: `[T, 3, A, K]`, else as `launch` has it.
        out: contiguous `[T, A*K]`; the tokens of these sequences are wholly overwritten.
        lse: float32 `[T*A]`, likewise.
        pack: which tokens.
        tile: of Triton's schedule.

    Raises:
        ValueError: for another K.
    """
    assert qkv.stride(-1) == 1, "the kernel reads whole rows"
    assert out.is_contiguous(), "the kernel writes whole rows"
    _, _, n_heads, head_dim = qkv.shape
    n_sequences = len(pack.starts)
    variant = variant_for(pack.n_tokens, tile, head_dim)
    with torch.cuda.device_of(qkv):
        attention_fwd_kernel[(variant.n_programs(n_sequences * n_heads, pack.n_tokens),)](
            qkv,
            out,
            lse,
            pack.starts,
            n_sequences,
            pack.n_tokens,
            n_heads,
            0,
            *qkv.stride()[:3],
            **variant.constants,
            **variant.options,
        )


# An operator of torch's own: opaque to torch.compile, and an error (not a cut graph) in backward.
@torch.library.custom_op("dinostream::flash_attention", mutates_args=())
def flash_attention(qkv: Tensor) -> Tensor:
    """Attention of the fused projection by the Triton kernel.

    Args:
        qkv: `[B, N, 3, A, K]` float16, bfloat16 or float32 on a CUDA device, any strides.

    Returns:
        `[B, N, A*K]`, contiguous, in the dtype of `qkv`.

    Raises:
        ValueError: for a K that the kernel does not serve.
    """
    n_batch, n_tokens, _, n_heads, head_dim = qkv.shape
    selected = select_tile(architecture(qkv.device), n_tokens, qkv.element_size())
    tile = runnable(selected, qkv.device)
    # Inside one image the kernel counts offsets in 32 bits.
    if qkv.stride(-1) != 1 or n_tokens * qkv.stride(1) >= 2**31:
        qkv = qkv.contiguous()
    if tile.schedule != "alternating" and not is_aligned(qkv):
        qkv = qkv.clone(memory_format=torch.contiguous_format)
    out = qkv.new_empty(n_batch, n_tokens, n_heads * head_dim)
    launch(qkv, out, tile)
    return out


@flash_attention.register_fake
def _(qkv: Tensor) -> Tensor:
    n_batch, n_tokens, _, n_heads, head_dim = qkv.shape
    return qkv.new_empty(n_batch, n_tokens, n_heads * head_dim)


def is_aligned(qkv: Tensor) -> bool:
    """Whether rows can be copied 16 bytes at a time, which Gluon's kernels cannot do without.

    Args:
        qkv: `[B, N, 3, A, K]`.

    Returns:
        True where triton can tell so: of an address in bytes and strides in numbers that are
        multiples of 16.
    """
    return qkv.data_ptr() % 16 == 0 and all(stride % 16 == 0 for stride in qkv.stride()[:4])


@functools.cache
def runnable(tile: Tile, device: torch.device) -> Tile:
    """The tile, or Triton's kernel in it where Gluon's does not run; that is told in the log.

    Args:
        tile: of the table.
        device: where it shall run; a tile of Gluon's is compiled and run there to know.

    Returns:
        The tile as it runs.
    """
    if tile.schedule == "alternating":
        return tile
    obstacle = triton_obstacle(device, functools.partial(_try, tile))
    if obstacle is None:
        return tile
    _log.warning("attention on %s does without %s: %s", device, tile, obstacle)
    return tile.alternating


def _try(tile: Tile, device: torch.device) -> None:
    qkv = torch.zeros(1, 257, 3, 1, 64, dtype=torch.float16, device=device)
    launch(qkv, qkv.new_empty(1, 257, 64), tile)
