"""The head that turns tokens into scores of prototypes; DINO's and iBOT's are of this kind.

Tokens in -> scores out. Parameters carry upstream's names, so `dino_head.*` and `ibot_head.*` of a
checkpoint load as they are.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

_STD = 0.02
_SHORTEST, _SHORTEST_FLOAT16 = 1e-12, 1e-6  # what a length is taken for at least


class Prototypes(nn.Module):
    """Cosines with K learnt directions, each times a learnt gain: `[..., d]` -> `[..., K]`.

    The gains start at 1 and learn. DINO v1 froze them; DINOv2 does not.
    """

    def __init__(self, width: int, count: int) -> None:
        super().__init__()
        self.weight_g = nn.Parameter(torch.ones(count, 1))
        self.weight_v = nn.Parameter(torch.empty(count, width))

    def forward(self, units: Tensor) -> Tensor:
        return F.linear(units, self.weight_g * F.normalize(self.weight_v, dim=1))


class ProjectionHead(nn.Module):
    """Three linear layers down to a unit vector, which is compared with the prototypes."""

    def __init__(
        self,
        width: int,
        prototypes: int,
        *,
        hidden: int = 2048,
        bottleneck: int = 256,
        draw: torch.Generator | None = None,
    ) -> None:
        """
        Args:
            width: D of the tokens.
            prototypes: K.
            hidden: width of the two layers in between.
            bottleneck: width of the unit vector.
            draw: decides where it starts; torch's own where there is none.
        """
        super().__init__()
        self.mlp = nn.Sequential(
            nn.Linear(width, hidden),
            nn.GELU(),
            nn.Linear(hidden, hidden),
            nn.GELU(),
            nn.Linear(hidden, bottleneck),
        )
        self.last_layer = Prototypes(bottleneck, prototypes)
        self._start(draw)

    def forward(self, tokens: Tensor) -> Tensor:
        """Scores of tokens, `[..., D]` -> `[..., K]`, in the dtype that the layers run in."""
        vectors = self.mlp(tokens)
        shortest = _SHORTEST_FLOAT16 if vectors.dtype == torch.float16 else _SHORTEST
        scores: Tensor = self.last_layer(F.normalize(vectors, dim=-1, eps=shortest))
        return scores

    def _start(self, draw: torch.Generator | None) -> None:
        for layer in self.mlp:
            if isinstance(layer, nn.Linear):
                nn.init.trunc_normal_(layer.weight, std=_STD, generator=draw)
                nn.init.zeros_(layer.bias)
        # As torch starts a linear layer. Only directions count, but their lengths say how fast an
        # optimiser turns them.
        reach = self.last_layer.weight_v.shape[1] ** -0.5
        nn.init.uniform_(self.last_layer.weight_v, -reach, reach, generator=draw)
