"""What makes class tokens tell places apart: frames of one clip agree, those of others do not.

Supervised truth is about what lies where, and says nothing of which place it is. Here the class
token of a clip's first frame has to find that of its last among those of all other clips of the
step and of a few steps before (contrast: InfoNCE, arXiv 1807.03748, between two views as in arXiv
2002.05709, with a memory as in arXiv 1912.06798), and KoLeo (arXiv 1806.03198) drives each away
from its nearest.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from operators.pretrain.koleo import koleo


@dataclass(frozen=True, slots=True)
class AgreementPlan:
    """How much class tokens are to know of places.

    Attributes:
        agree: weight of the contrast beside the supervised losses.
        spread: weight of KoLeo.
        temperature: of the contrast; the lower, the more the most similar clips count.
        remembered: class tokens of the steps before.
    """

    agree: float = 1.0
    spread: float = 0.3
    temperature: float = 0.1
    remembered: int = 512


class Agreement(nn.Module):
    """The two losses, and the class tokens that are remembered."""

    others: Tensor

    def __init__(self, width: int, plan: AgreementPlan) -> None:
        """
        Args:
            width: D of a class token.
            plan: weights and the memory's size.
        """
        super().__init__()
        self.plan = plan
        # Zeros are like nothing, and so no temptation, until there is something to remember.
        self.register_buffer("others", torch.zeros(plan.remembered, width))

    def losses(self, places: Tensor) -> dict[str, Tensor]:
        """Return what class tokens cost, weighted, and remember them.

        Args:
            places: `[C, T, D]`; the first and the last frame of a clip count.

        Returns:
            agree: cross entropy per frame; ln(2 C - 1 + remembered) where all tokens are alike.
            spread: KoLeo of all first frames, and of all last frames: never of two of one clip.
        """
        with torch.autocast(places.device.type, enabled=False):
            ends = F.normalize(places[:, [0, -1]].float(), dim=-1)
            tokens = torch.cat((ends[:, 0], ends[:, 1]))
            alike = tokens @ torch.cat((tokens, self.others)).T / self.plan.temperature
            itself = torch.eye(*alike.shape, dtype=torch.bool)
            partner = torch.arange(len(tokens)).roll(len(places))
            agree = F.cross_entropy(alike.masked_fill(itself, -torch.inf), partner)
            spread = koleo(ends[:, 0]) + koleo(ends[:, 1])
        self._remember(tokens.detach())
        return {"agree": self.plan.agree * agree, "spread": self.plan.spread * spread}

    def _remember(self, tokens: Tensor) -> None:
        self.others = torch.cat((tokens, self.others))[: self.plan.remembered]
