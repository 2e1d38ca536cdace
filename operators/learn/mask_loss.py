"""How wrong masks are: cross-entropy and DICE, of pairs for a loss and of all pairs for a matching.

Logits and truths of cells in -> numbers out, as Mask2Former has them (arXiv 2112.01527; DICE: arXiv
1606.04797). A truth may be a share of its cell.
"""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

_SMOOTH = 1.0  # cells: an empty mask is no division by nothing


def cells_apart(logits: Tensor, truths: Tensor) -> Tensor:
    """Mean cross-entropy of the cells of each mask, `[N]`.

    Args:
        logits: `[N, P]`.
        truths: `[N, P]`, 0 to 1.
    """
    return F.binary_cross_entropy_with_logits(logits, truths, reduction="none").mean(dim=-1)


def dice(logits: Tensor, truths: Tensor) -> Tensor:
    """1 - twice what both share over what both are, `[N]`.

    Args:
        logits, truths: as of `cells_apart`.
    """
    inside = logits.sigmoid()
    return _apart(2 * (inside * truths).sum(dim=-1), inside.sum(dim=-1), truths.sum(dim=-1))


def cells_apart_pairs(logits: Tensor, truths: Tensor) -> Tensor:
    """`cells_apart` of all pairs, `[K, M]`.

    Args:
        logits: `[K, P]`.
        truths: `[M, P]`.
    """
    total = F.softplus(-logits) @ truths.mT + F.softplus(logits) @ (1 - truths).mT
    return total / logits.shape[-1]


def dice_pairs(logits: Tensor, truths: Tensor) -> Tensor:
    """`dice` of all pairs, `[K, M]`.

    Args:
        logits, truths: as of `cells_apart_pairs`.
    """
    inside = logits.sigmoid()
    return _apart(2 * inside @ truths.mT, inside.sum(dim=-1)[:, None], truths.sum(dim=-1))


def _apart(twice: Tensor, first: Tensor, second: Tensor) -> Tensor:
    return 1 - (twice + _SMOOTH) / (first + second + _SMOOTH)
