"""Pixels as the decoder gives them -> pixels as backbones want them, on whatever device they are.

uint8 `[B, H, W, 3]` in, normalised `[B, 3, H, W]` out. Must not resize anything.
"""

from __future__ import annotations

import functools

import torch
from torch import Tensor

from operators.backbones.statistics import IMAGENET, Statistics


def normalise(pixels: Tensor, dtype: torch.dtype, by: Statistics = IMAGENET) -> Tensor:
    """`(pixels / 255 - mean) / std` per channel, channels moved to the front.

    Args:
        pixels: uint8 RGB `[B, H, W, 3]`.
        dtype: of the result; the arithmetic is float32.
        by: mean and deviation, the architecture's; DINOv2's where nothing else is said.

    Returns:
        `[B, 3, H, W]` on the same device, contiguous.

    Raises:
        ValueError: another dtype or shape.
    """
    if pixels.dtype != torch.uint8 or pixels.ndim != 4 or pixels.shape[3] != 3:
        got = f"{pixels.dtype} {list(pixels.shape)}"
        raise ValueError(f"pixels must be torch.uint8 [B, H, W, 3], got {got}")
    mean, std = _statistics(pixels.device, by)
    scaled = (pixels.float() / 255 - mean) / std
    return scaled.to(dtype).permute(0, 3, 1, 2).contiguous()


@functools.cache
def _statistics(device: torch.device, by: Statistics) -> tuple[Tensor, Tensor]:
    """Mean and deviation, copied to a device once: no CUDA graph can record such a copy."""
    with torch.inference_mode(False):
        mean, std = (torch.tensor(one, device=device) for one in (by.mean, by.std))
    return mean, std
