"""Depth as it is published: whole steps of a map's scale, 16 bits each; 0 says unknown."""

from __future__ import annotations

import torch
from torch import Tensor

MOST = 65_535


def to_steps(values: Tensor, scale: float) -> Tensor:
    """The nearest steps, halves to even: float32 in, uint16 of the same shape out, on its device.

    Args:
        values: of the map, negative where unknown.
        scale: of its unit per step.
    """
    steps = (values.double() / scale).round().clamp(1, MOST)
    return torch.where(values < 0, 0, steps).to(torch.uint16)
