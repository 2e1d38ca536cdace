"""Pixels as the decoder gives them -> pixels as DINOv2 wants them, on whatever device they are.

uint8 `[B, H, W, 3]` in, ImageNet-normalised `[B, 3, H, W]` out. Must not resize anything.
"""

from __future__ import annotations

import functools

import torch
from torch import Tensor

# Mean and deviation of ImageNet's RGB channels on a 0..1 scale, as DINOv2 was trained with.
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


def normalise(pixels: Tensor, dtype: torch.dtype) -> Tensor:
    """`(pixels / 255 - mean) / std` per channel, channels moved to the front.

    Args:
        pixels: uint8 RGB `[B, H, W, 3]`.
        dtype: of the result; the arithmetic is float32.

    Returns:
        `[B, 3, H, W]` on the same device, contiguous.

    Raises:
        ValueError: another dtype or shape.
    """
    if pixels.dtype != torch.uint8 or pixels.ndim != 4 or pixels.shape[3] != 3:
        got = f"{pixels.dtype} {list(pixels.shape)}"
        raise ValueError(f"pixels must be torch.uint8 [B, H, W, 3], got {got}")
    mean, std = _statistics(pixels.device)
    scaled = (pixels.float() / 255 - mean) / std
    return scaled.to(dtype).permute(0, 3, 1, 2).contiguous()


@functools.cache
def _statistics(device: torch.device) -> tuple[Tensor, Tensor]:
    """Mean and deviation, copied to a device once: no CUDA graph can record such a copy."""
    with torch.inference_mode(False):
        mean, std = (torch.tensor(one, device=device) for one in (IMAGENET_MEAN, IMAGENET_STD))
    return mean, std
