"""Gram anchoring: patches keep to each other as an earlier teacher's did (arXiv 2508.10104).

Patches in -> a scalar out. It is for long trainings, in which dense features decay.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from operators.pretrain.precision import at_least_float32


def gram_loss(student: Tensor, teacher: Tensor) -> Tensor:
    """Mean squared difference of the cosines of all pairs of patches of a picture.

    Args:
        student: patches of B pictures, `[B, N, D]`.
        teacher: of the same places, `[B, N, D']`, by `resized` if it saw them larger; gets no
            gradient.

    Returns:
        float32, whatever autocast says; float64 of float64.

    Raises:
        ValueError: not the same pictures and places.
    """
    if student.shape[:2] != teacher.shape[:2]:
        raise ValueError(
            f"want patches of the same pictures and places, got {tuple(student.shape)} of the "
            f"student and {tuple(teacher.shape)} of the teacher; resize the teacher's"
        )
    with torch.autocast(student.device.type, enabled=False):
        return F.mse_loss(_cosines(student), _cosines(teacher.detach()))


def resized(patches: Tensor, from_hw: tuple[int, int], to_hw: tuple[int, int]) -> Tensor:
    """Patches of a grid on another one, bicubic and without a filter, as DINOv3 does it.

    Args:
        patches: row by row, `[B, h*w, D]`.
        from_hw: their grid.
        to_hw: the grid that is wanted.

    Returns:
        `[B, h*w, D]` of that grid; float32, float64 of float64.
    """
    maps = at_least_float32(patches).mT.reshape(len(patches), patches.shape[2], *from_hw)
    return F.interpolate(maps, size=to_hw, mode="bicubic").flatten(2).mT


def _cosines(patches: Tensor) -> Tensor:
    """`[B, N, D]` -> `[B, N, N]`."""
    units = F.normalize(at_least_float32(patches), dim=-1)
    return units @ units.mT
