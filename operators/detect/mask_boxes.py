"""Masks as logits on a grid over the picture -> the boxes around them, and how sure they are.

An edge lies where the logits, interpolated bilinearly between the middles of cells, cross zero: the
box that the mask would have if it were drawn at the picture's own size.
"""

from __future__ import annotations

import torch
from torch import Tensor

_SOME = 1e-6  # cells: a mask without any has a mean all the same


def boxes_of(logits: Tensor) -> Tensor:
    """Left, top, right, bottom `[..., 4]`, shares of the picture; zeros where nothing is inside.

    Args:
        logits: `[..., H, W]`, above zero inside a mask.
    """
    left, right = _ends(logits)
    top, bottom = _ends(logits.mT)
    return torch.stack([left, top, right, bottom], dim=-1)


def mean_inside(logits: Tensor) -> Tensor:
    """Mean probability of the cells inside, `[...]`; zero where there are none.

    Args:
        logits: `[..., H, W]`, above zero inside a mask.
    """
    inside = logits > 0
    total = torch.where(inside, logits.sigmoid(), 0).sum(dim=(-2, -1))
    return total / (inside.sum(dim=(-2, -1)) + _SOME)


def _ends(logits: Tensor) -> tuple[Tensor, Tensor]:
    """Where masks begin and end across, `[...]`, shares of the width."""
    width = logits.shape[-1]
    begin, end = _first(logits), width - _first(logits.flip(-1))
    some = begin < width
    return torch.where(some, begin, 0) / width, torch.where(some, end, 0) / width


def _first(logits: Tensor) -> Tensor:
    """Cells from the left edge to where anything is inside, `[...]`; infinite where nothing is."""
    # Half a cell in front of the first middle is the edge: as if the logit changed its sign there.
    before = torch.cat((-logits[..., :1], logits[..., :-1]), dim=-1).clamp(max=0)
    middles = torch.arange(logits.shape[-1], device=logits.device) + 0.5
    crossed = middles - logits / (logits - before)
    return torch.where(logits > 0, crossed, torch.inf).amin(dim=(-2, -1))
