"""What class tokens know of places: whether they find one again, and in how many directions."""

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


def effective_rank(tokens: Tensor) -> float:
    """The exponential of the entropy of the singular values' shares (Roy and Vetterli, 2007).

    Args:
        tokens: `[B, D]`, their mean is taken off.

    Returns:
        1 to D; 0 where all tokens are equal.
    """
    values = torch.linalg.svdvals((tokens - tokens.mean(0)).double())
    if not values.any():
        return 0.0
    shares = values / values.sum()
    return float(torch.special.entr(shares).sum().exp())
