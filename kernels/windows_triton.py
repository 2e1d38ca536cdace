"""The Triton kernel of `kernels.windows`: attention pooling of many short windows in one launch.

In: `[W, T, F]` and how many frames are present, on a CUDA device. Out: `[W, F]`.
See docs/kernels.md. Imports triton at its top, so it is itself imported late.
Must not know when it is used.
"""

import torch
import triton
import triton.language as tl
from torch import Tensor

BLOCK = 2048  # numbers of a window that a program holds at a time
NUM_WARPS = 4


# A window that is read for the scores is in the cache when it is read for the sum.
@triton.jit(do_not_specialize=["T"])
def windows_kernel(  # type: ignore[no-untyped-def]
    vectors,
    present,
    query,
    out,
    T,
    F,
    stride_w,
    stride_t,
    scale,
    BLOCK_T: tl.constexpr,
    BLOCK_F: tl.constexpr,
):
    """One program: one window."""
    i_w = tl.program_id(0).to(tl.int64)
    o_t = tl.arange(0, BLOCK_T)
    o_f = tl.arange(0, BLOCK_F)
    # What lies behind the frames that are present is never read: it may be anything.
    m_t = o_t < tl.minimum(tl.load(present + i_w), T)
    p_frame = vectors + i_w * stride_w + o_t[:, None] * stride_t + o_f[None, :]
    b_match = tl.zeros([BLOCK_T], tl.float32)
    for i_f in tl.range(0, F, BLOCK_F):
        m_f = i_f + o_f < F
        b_x = tl.load(p_frame + i_f, mask=m_t[:, None] & m_f[None, :], other=0.0)
        b_query = tl.load(query + i_f + o_f, mask=m_f, other=0.0).to(tl.float32)
        b_match += tl.sum(b_x.to(tl.float32) * b_query[None, :], 1)
    b_match = tl.where(m_t, b_match * scale, -float("inf"))
    b_weight = tl.exp(b_match - tl.max(b_match, 0))
    b_weight = b_weight / tl.sum(b_weight, 0)
    for i_f in tl.range(0, F, BLOCK_F):
        m_f = i_f + o_f < F
        b_x = tl.load(p_frame + i_f, mask=m_t[:, None] & m_f[None, :], other=0.0)
        b_out = tl.sum(b_x.to(tl.float32) * b_weight[:, None], 0)
        tl.store(out + i_w * F + i_f + o_f, b_out.to(out.dtype.element_ty), mask=m_f)


def tile(frames: int) -> dict[str, int]:
    """Constants of the kernel for T frames: T rounded up to a power of two, numbers of each."""
    block_t = max(2, triton.next_power_of_2(frames))
    return {"BLOCK_T": block_t, "BLOCK_F": BLOCK // block_t}


def launch(vectors: Tensor, present: Tensor, query: Tensor, out: Tensor) -> None:
    """Run the kernel on the tensors' device.

    Args:
        vectors: `[W, T, F]`, T at most 256; copied unless its stride in F is 1.
        present: int32 or int64 contiguous `[W]`, from 1 to T.
        query: contiguous `[F]`.
        out: contiguous `[W, F]`; wholly overwritten.
    """
    assert out.is_contiguous(), "the kernel writes whole rows"
    # Inside one window the kernel counts offsets in 32 bits.
    if vectors.stride(2) != 1 or vectors.shape[1] * vectors.stride(1) >= 2**31:
        vectors = vectors.contiguous()
    n_windows, frames, width = vectors.shape
    with torch.cuda.device_of(vectors):
        windows_kernel[(n_windows,)](
            vectors,
            present,
            query,
            out,
            frames,
            width,
            vectors.stride(0),
            vectors.stride(1),
            width**-0.5,
            **tile(frames),
            num_warps=NUM_WARPS,
            enable_fp_fusion=True,
        )


# An operator of torch's own: opaque to torch.compile, and an error (not a cut graph) in backward.
@torch.library.custom_op("dinostream::pool_windows", mutates_args=())
def pool_windows(vectors: Tensor, present: Tensor, query: Tensor) -> Tensor:
    """Attention pooling by the Triton kernel; see `kernels.windows.pool_windows`."""
    out = _empty(vectors)
    launch(vectors, present.contiguous(), query.contiguous(), out)
    return out


@pool_windows.register_fake
def _(vectors: Tensor, present: Tensor, query: Tensor) -> Tensor:
    return _empty(vectors)


def _empty(vectors: Tensor) -> Tensor:
    return vectors.new_empty((vectors.shape[0], vectors.shape[2]))
