"""Weights of nobody's training, the same on every machine: a seed in, tensors by name out."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from operators.backbones.architectures import Architecture
from operators.backbones.model import empty_model
from operators.backbones.rotary import PERIODS, exact_periods

_STD = 0.02  # what DINOv2 starts its own training from


def random_tensors(arch: Architecture, seed: int) -> dict[str, Tensor]:
    """Untrained weights by upstream name; see `drawn_tensors`."""
    tensors = drawn_tensors(empty_model(arch).state_dict(), seed)
    return tensors | {PERIODS: exact_periods(arch)} if arch.rotary else tensors


def drawn_tensors(empty: Mapping[str, Tensor], seed: int) -> dict[str, Tensor]:
    """Untrained weights of any model: the same numbers on every machine, no global generator.

    Matrices and tokens are normal, offsets zero, gains one. Drawn from numpy's PCG64 in name order,
    because torch's own normal numbers differ between CPUs' vector units.

    Args:
        empty: tensors whose names and shapes are wanted.
        seed: of the draw.
    """
    draw = np.random.Generator(np.random.PCG64(seed))
    tensors = {}
    for name, shaped in sorted(empty.items()):
        if name.endswith(".bias"):
            tensors[name] = torch.zeros(shaped.shape)
        elif shaped.ndim == 1:
            tensors[name] = torch.ones(shaped.shape)
        else:
            normal = draw.standard_normal(tuple(shaped.shape), dtype=np.float32)
            tensors[name] = torch.from_numpy(normal * np.float32(_STD))
    return tensors
