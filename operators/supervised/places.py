"""What class tokens know of places: whether they find one again."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def found_again(asked: Tensor, gallery: Tensor) -> Tensor:
    """Whether the most similar of a gallery is of the same place; ties count as missed.

    Args:
        asked: `[N, D]`, one per place.
        gallery: `[N, D]`, of the same places in the same order.

    Returns:
        bool `[N]`.
    """
    likeness = F.normalize(asked.double(), dim=-1) @ F.normalize(gallery.double(), dim=-1).T
    own = likeness.diagonal().clone()
    likeness.fill_diagonal_(-torch.inf)
    return own > likeness.amax(1)
