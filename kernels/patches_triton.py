"""The Triton kernel of `kernels.patches`: bytes of frames to normalised patches in one pass.

In: uint8 `[B, H, W, 3]` on a CUDA device. Out: `[B*h*w, 3*P*P]`. docs/kernels.md says how it reads.
Imports triton at its top, so it is itself imported late. Must not know when it is used.
"""

from collections.abc import Sequence

import torch
import triton
import triton.language as tl
from torch import Tensor

BLOCK_PAIRS = 512
NUM_WARPS = 4


@triton.jit
def store_colour(p_out, m_pair, b_left, b_right, scale, shift):  # type: ignore[no-untyped-def]
    """Normalise one colour of pairs of neighbouring pixels and write each pair as one word."""
    b_pair = tl.fma(tl.join(b_left, b_right).to(tl.float32), scale, shift)  # [BLOCK, 2]
    p_pair = p_out[:, None] + tl.arange(0, 2)[None, :]
    tl.store(p_pair, b_pair.to(p_out.dtype.element_ty), mask=m_pair[:, None])


# h and w are kept out of specialisation: a new frame size must not mean a new compilation.
@triton.jit(do_not_specialize=["h", "w"])
def patches_kernel(  # type: ignore[no-untyped-def]
    words,
    out,
    h,
    w,
    stride_b,
    stride_y,
    scale_r,
    scale_g,
    scale_b,
    shift_r,
    shift_g,
    shift_b,
    P: tl.constexpr,
    BLOCK: tl.constexpr,
):
    """One program: BLOCK pairs of pixels of one row of patches, in the order of the output.

    Two pixels are three 16-bit words: r0 g0, b0 r1, g1 b1. Strides count words.
    """
    PAIRS: tl.constexpr = P * P // 2
    n_blocks = tl.cdiv(w * PAIRS, BLOCK)
    i_row = tl.program_id(0) // n_blocks  # of patches, over all frames
    i_b = (i_row // h).to(tl.int64)
    i_h = i_row % h

    o_pair = (tl.program_id(0) % n_blocks * BLOCK + tl.arange(0, BLOCK)).to(tl.uint32)
    m_pair = o_pair < w * PAIRS
    o_w = o_pair // PAIRS
    o_in = o_pair % PAIRS
    o_y = o_in // (P // 2)
    o_x = o_in % (P // 2)

    p_row = words + i_b * stride_b + i_h * P * stride_y
    p_word = p_row + o_y * stride_y + (o_w * (P // 2) + o_x) * 3
    b_rg = tl.load(p_word, mask=m_pair, other=0).to(tl.int32)  # [BLOCK]
    b_br = tl.load(p_word + 1, mask=m_pair, other=0).to(tl.int32)
    b_gb = tl.load(p_word + 2, mask=m_pair, other=0).to(tl.int32)

    p_out = out + i_row.to(tl.int64) * w * (6 * PAIRS) + o_w * (6 * PAIRS) + 2 * o_in
    store_colour(p_out, m_pair, b_rg & 255, b_br >> 8 & 255, scale_r, shift_r)
    store_colour(p_out + 2 * PAIRS, m_pair, b_rg >> 8 & 255, b_gb & 255, scale_g, shift_g)
    store_colour(p_out + 4 * PAIRS, m_pair, b_br & 255, b_gb >> 8 & 255, scale_b, shift_b)


def launch(
    pixels: Tensor, out: Tensor, mean: Sequence[float], std: Sequence[float], patch: int
) -> None:
    """Run the kernel on the tensors' device.

    Args:
        pixels: uint8 `[B, H, W, 3]`, H and W multiples of the patch, any strides.
        out: contiguous `[B*h*w, 3*P*P]` of a floating dtype; wholly overwritten.
        mean: of the three colours on a 0..1 scale.
        std: likewise.
        patch: P, side of a patch in pixels, even.
    """
    assert out.is_contiguous(), "the kernel writes whole rows"
    words = _words(pixels)
    h, w = pixels.shape[1] // patch, pixels.shape[2] // patch
    n_blocks = triton.cdiv(w * patch * patch // 2, BLOCK_PAIRS)
    with torch.cuda.device_of(pixels):
        patches_kernel[(len(pixels) * h * n_blocks,)](
            words,
            out,
            h,
            w,
            words.stride(0),
            words.stride(1),
            *(1 / (255 * deviation) for deviation in std),
            *(-average / deviation for average, deviation in zip(mean, std, strict=True)),
            P=patch,
            BLOCK=BLOCK_PAIRS,
            num_warps=NUM_WARPS,
            enable_fp_fusion=True,
        )


def _words(pixels: Tensor) -> Tensor:
    """The same bytes as 16-bit words `[B, H, W*3/2]`, in place where their addresses are even."""
    rows = pixels.flatten(2)
    # Inside one frame the kernel counts offsets in 32 bits.
    odd = rows.stride(0) % 2 or rows.stride(1) % 2 or rows.storage_offset() % 2
    if odd or rows.stride(2) != 1 or rows.shape[1] * rows.stride(1) >= 2**31:
        rows = rows.clone(memory_format=torch.contiguous_format)
    return rows.view(torch.int16)


# An operator of torch's own: opaque to torch.compile.
@torch.library.custom_op("dinostream::patches", mutates_args=())
def patches(
    pixels: Tensor, mean: Sequence[float], std: Sequence[float], dtype: torch.dtype, patch: int
) -> Tensor:
    """Normalised patches by the Triton kernel.

    Args:
        pixels: uint8 `[B, H, W, 3]` on a CUDA device, H and W multiples of the patch, any strides.
        mean: of the three colours on a 0..1 scale.
        std: likewise.
        dtype: of the result.
        patch: P, side of a patch in pixels, even.

    Returns:
        `[B*h*w, 3*P*P]`, contiguous.
    """
    out = _empty(pixels, dtype, patch)
    launch(pixels, out, mean, std, patch)
    return out


@patches.register_fake
def _(
    pixels: Tensor, mean: Sequence[float], std: Sequence[float], dtype: torch.dtype, patch: int
) -> Tensor:
    return _empty(pixels, dtype, patch)


def _empty(pixels: Tensor, dtype: torch.dtype, patch: int) -> Tensor:
    n_batch, height, width, colours = pixels.shape
    n_patches = n_batch * (height // patch) * (width // patch)
    return pixels.new_empty((n_patches, colours * patch * patch), dtype=dtype)
