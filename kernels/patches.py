"""Frames as bytes to what the patch embedding multiplies, in one pass over them on CUDA.

In: uint8 `[B, H, W, 3]`. Out: normalised `[B*h*w, 588]`, one product away from tokens:
`F.linear(patches, proj.weight.flatten(1), proj.bias)`. Triton on CUDA, float32 torch elsewhere.
Must not know the model, nor import triton before a CUDA tensor arrives.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from . import reference
from .attention import DTYPES
from .device import runs_triton
from .reference import PATCH


def patches(
    pixels: Tensor,
    *,
    mean: Sequence[float],
    std: Sequence[float],
    dtype: torch.dtype,
) -> Tensor:
    """Normalise and cut into patches: (x / 255 - mean) / std.

    Args:
        pixels: uint8 RGB `[B, H, W, 3]`, H and W multiples of 14, any strides. No axis may be
            empty.
        mean: of the three colours on a 0..1 scale.
        std: likewise, above 0.
        dtype: of the result, float32, float16 or bfloat16; the arithmetic is float32.

    Returns:
        `[B*h*w, 588]`, contiguous: patches row by row, in each colour, row, column.

    Raises:
        ValueError: for another shape or dtype, or statistics that are not three of each.
    """
    _check(pixels, mean, std, dtype)
    if runs_triton(pixels.device):
        from . import patches_triton

        out: Tensor = patches_triton.patches(pixels, mean, std, dtype)
        return out
    return reference.patches(pixels, mean, std, dtype)


def _check(pixels: Tensor, mean: Sequence[float], std: Sequence[float], dtype: torch.dtype) -> None:
    fits = pixels.dtype == torch.uint8 and pixels.dim() == 4 and pixels.shape[3] == 3
    if not fits or pixels.numel() == 0 or pixels.shape[1] % PATCH or pixels.shape[2] % PATCH:
        raise ValueError(
            f"pixels are {pixels.dtype} {list(pixels.shape)}; allowed: torch.uint8 [B, H, W, 3], "
            f"not empty, H and W multiples of {PATCH}"
        )
    if len(mean) != 3 or len(std) != 3 or min(std) <= 0:
        raise ValueError(
            f"mean is {tuple(mean)} and std {tuple(std)}; allowed: three numbers each, std above 0"
        )
    if dtype not in DTYPES:
        raise ValueError(f"dtype is {dtype}; allowed: {', '.join(map(str, DTYPES))}")
