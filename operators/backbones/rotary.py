"""Rotary positions in two axes, DINOv3's: queries and keys of patches are turned by their place.

A grid of patches in -> by how much each token turns, and turned queries and keys out. Where a patch
lies is told by its middle between -1 and 1 on each axis of its own, whatever the frame's size or
shape; class token and registers have no place and do not turn. Training shifts, stretches and
shrinks those coordinates at random, inference never does. arXiv 2508.10104, section 3.2;
`rope_position_encoding.py` and `attention.py` upstream.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn

from operators.backbones.architectures import Architecture

_BASE = 100.0

PERIODS = "rope_embed.periods"  # as a state dict calls them


class Rotation(NamedTuple):
    """How tokens of one size of frames turn, float32 `[N, K/2]`: numbers k and k + K/2 are a pair.

    Attributes:
        cos: of each pair's angle; 1 where a token does not turn.
        sin: the same; 0 there.
    """

    cos: Tensor
    sin: Tensor

    def padded(self, rows: int) -> Rotation:
        """With tokens behind these that do not turn, `[rows, K/2]`."""
        more = self.cos.new_ones(rows - len(self.cos), self.cos.shape[1])
        return Rotation(torch.cat((self.cos, more)), torch.cat((self.sin, 0 * more)))

    def to(self, device: torch.device) -> Rotation:
        """On a device."""
        return Rotation(self.cos.to(device), self.sin.to(device))


class Rotary(nn.Module):
    """The angles' periods, under upstream's name: its files hold them, rounded to bfloat16."""

    periods: Tensor

    def __init__(self, arch: Architecture) -> None:
        """
        Args:
            arch: of the backbone.
        """
        super().__init__()
        self._unplaced = 1 + arch.registers
        self.register_buffer("periods", exact_periods(arch))

    def forward(self, h: int, w: int) -> Rotation:
        """Of a frame's tokens, class token and registers first.

        Args:
            h: patches down.
            w: patches across.
        """
        periods = self.periods.float()
        down, across = (_middles(count, periods.device) for count in (h, w))
        places = torch.stack(torch.meshgrid(down, across, indexing="ij"), dim=-1).flatten(0, 1)
        angles = (2 * math.pi * places[:, :, None] / periods).flatten(1)  # [h*w, K/2], down first
        still = torch.zeros(self._unplaced, angles.shape[1], device=periods.device)
        angles = torch.cat((still, angles))
        return Rotation(angles.cos(), angles.sin())


def exact_periods(arch: Architecture) -> Tensor:
    """K/4 of them, from 1 on towards 100, float32 and not rounded: for files that hold none."""
    quarter = arch.head_dim // 4
    return _BASE ** (torch.arange(quarter, dtype=torch.float32) / quarter)


def rotated(qkv: Tensor, rotation: Rotation) -> Tensor:
    """A fused projection whose queries and keys have turned; see `rotate`."""
    return rotate(qkv.clone(), rotation)


def rotate(qkv: Tensor, rotation: Rotation) -> Tensor:
    """Turn queries and keys of a fused projection in their own memory.

    Args:
        qkv: `[B, N, 3, A, K]`; index 0, 1, 2 of the third axis are queries, keys, values.
        rotation: of N tokens.

    Returns:
        The same tensor; the arithmetic is float32, values stay as they are.
    """
    cos, sin = (part[:, None, None] for part in rotation)
    first, second = qkv[:, :, :2].chunk(2, dim=-1)
    left, right = first.float(), second.float()
    turned = left * cos - right * sin
    second.copy_(right * cos + left * sin)
    first.copy_(turned)
    return qkv


def _middles(count: int, device: torch.device) -> Tensor:
    """Of so many patches along an axis, from -1 to 1."""
    return 2 * (torch.arange(count, dtype=torch.float32, device=device) + 0.5) / count - 1
