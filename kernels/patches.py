"""Frames as bytes to what the patch embedding multiplies, in one pass over them on CUDA.

In: uint8 `[B, H, W, 3]`. Out: normalised `[B*h*w, 3*P*P]`, one product away from tokens:
`F.linear(patches, proj.weight.flatten(1), proj.bias)`. Triton on CUDA, float32 torch elsewhere.
Must not know the model, nor import triton before a CUDA tensor arrives.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from . import reference
from .attention import DTYPES
from .device import runs_triton


def patches(
    pixels: Tensor,
    *,
    patch: int,
    mean: Sequence[float],
    std: Sequence[float],
    dtype: torch.dtype,
) -> Tensor:
    """Normalise and cut into patches: (x / 255 - mean) / std.

    Args:
        pixels: uint8 RGB `[B, H, W, 3]`, H and W multiples of the patch, any strides. No axis may
            be empty.
        patch: P, side of a patch in pixels, even.
        mean: of the three colours on a 0..1 scale.
        std: likewise, above 0.
        dtype: of the result, float32, float16 or bfloat16; the arithmetic is float32.

    Returns:
        `[B*h*w, 3*P*P]`, contiguous: patches row by row, in each colour, row, column.

    Raises:
        ValueError: for another shape, patch or dtype, or statistics that are not three of each.
    """
    _check_pixels(pixels, patch)
    _check(mean, std, dtype)
    if runs_triton(pixels.device):
        from . import patches_triton

        out: Tensor = patches_triton.patches(pixels, mean, std, dtype, patch)
        return out
    return reference.patches(pixels, mean, std, dtype, patch=patch)


def _check_pixels(pixels: Tensor, patch: int) -> None:
    if patch < 2 or patch % 2:
        raise ValueError(f"patch is {patch}; allowed: even numbers, pixels are read in pairs")
    fits = pixels.dtype == torch.uint8 and pixels.dim() == 4 and pixels.shape[3] == 3
    if not fits or pixels.numel() == 0 or pixels.shape[1] % patch or pixels.shape[2] % patch:
        raise ValueError(
            f"pixels are {pixels.dtype} {list(pixels.shape)}; allowed: torch.uint8 [B, H, W, 3], "
            f"not empty, H and W multiples of {patch}"
        )


def _check(mean: Sequence[float], std: Sequence[float], dtype: torch.dtype) -> None:
    if len(mean) != 3 or len(std) != 3 or min(std) <= 0:
        raise ValueError(
            f"mean is {tuple(mean)} and std {tuple(std)}; allowed: three numbers each, std above 0"
        )
    if dtype not in DTYPES:
        raise ValueError(f"dtype is {dtype}; allowed: {', '.join(map(str, DTYPES))}")
