"""Boxes as numbers of a tensor, in shares of the picture: two ways to write them, and overlaps.

Knows nothing of labels, scores or pixels.
"""

from __future__ import annotations

import torch
from torch import Tensor


def corners(boxes: Tensor) -> Tensor:
    """Centre x, y, width, height `[..., 4]` -> left, top, right, bottom `[..., 4]`."""
    centre, size = boxes[..., :2], boxes[..., 2:]
    return torch.cat([centre - size / 2, centre + size / 2], dim=-1)


def centred(boxes: Tensor) -> Tensor:
    """Left, top, right, bottom `[..., 4]` -> centre x, y, width, height `[..., 4]`."""
    low, high = boxes[..., :2], boxes[..., 2:]
    return torch.cat([(low + high) / 2, high - low], dim=-1)


def generalised_iou(first: Tensor, second: Tensor) -> Tensor:
    """Intersection over union, less the share of the common hull that neither fills (Rezatofighi
    et al. 2019): -1 far apart, 1 the same.

    Args:
        first, second: left, top, right, bottom `[..., 4]`, broadcast against each other.
    """
    common = _area(
        torch.cat(
            [
                torch.maximum(first[..., :2], second[..., :2]),
                torch.minimum(first[..., 2:], second[..., 2:]),
            ],
            dim=-1,
        )
    )
    hull = _area(
        torch.cat(
            [
                torch.minimum(first[..., :2], second[..., :2]),
                torch.maximum(first[..., 2:], second[..., 2:]),
            ],
            dim=-1,
        )
    )
    union = _area(first) + _area(second) - common
    return common / union - (hull - union) / hull


def _area(boxes: Tensor) -> Tensor:
    return (boxes[..., 2:] - boxes[..., :2]).clamp_min(0).prod(dim=-1)
