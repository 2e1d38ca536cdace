"""How wrong masks are: focal loss and DICE, of pairs for a loss and of all pairs for a matching.

Logits and truths of cells in -> numbers out. Focal loss: arXiv 1708.02002 (alpha 0.25, gamma 2);
DICE: arXiv 1606.04797, as DETR has it (arXiv 2005.12872). A truth may be a share of its cell.
"""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

_ALPHA = 0.25  # what inside weighs against 1 - _ALPHA outside
_SMOOTH = 1.0  # cells: an empty mask is no division by nothing


def focal(logits: Tensor, truths: Tensor) -> Tensor:
    """Mean over the cells of each mask, `[N]`.

    Args:
        logits: `[N, P]`.
        truths: `[N, P]`, 0 to 1.
    """
    apart = F.binary_cross_entropy_with_logits(logits, truths, reduction="none")
    inside = logits.sigmoid()
    missed = inside + truths - 2 * inside * truths
    weights = _ALPHA * truths + (1 - _ALPHA) * (1 - truths)
    return (weights * missed**2 * apart).mean(dim=-1)


def dice(logits: Tensor, truths: Tensor) -> Tensor:
    """1 - twice what both share over what both are, `[N]`.

    Args:
        logits, truths: as of `focal`.
    """
    inside = logits.sigmoid()
    return _apart(2 * (inside * truths).sum(dim=-1), inside.sum(dim=-1), truths.sum(dim=-1))


def focal_pairs(logits: Tensor, truths: Tensor) -> Tensor:
    """`focal` of all pairs, `[K, M]`: exact where truths are 0 and 1.

    Args:
        logits: `[K, P]`.
        truths: `[M, P]`.
    """
    inside = logits.sigmoid()
    if_inside = _ALPHA * (1 - inside) ** 2 * F.softplus(-logits)
    if_outside = (1 - _ALPHA) * inside**2 * F.softplus(logits)
    total = if_inside @ truths.mT + if_outside @ (1 - truths).mT
    return total / logits.shape[-1]


def dice_pairs(logits: Tensor, truths: Tensor) -> Tensor:
    """`dice` of all pairs, `[K, M]`.

    Args:
        logits, truths: as of `focal_pairs`.
    """
    inside = logits.sigmoid()
    return _apart(2 * inside @ truths.mT, inside.sum(dim=-1)[:, None], truths.sum(dim=-1))


def _apart(twice: Tensor, first: Tensor, second: Tensor) -> Tensor:
    return 1 - (twice + _SMOOTH) / (first + second + _SMOOTH)
