"""KoLeo: class tokens of different pictures should spread (arXiv 1806.03198, 2304.07193).

Tokens in -> a scalar out.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from operators.pretrain.precision import at_least_float32

_TINY = 1e-8


def koleo(tokens: Tensor) -> Tensor:
    """-mean log(distance to the nearest other token), all tokens made 1 long.

    Tokens should be of different pictures: of one crop each, before the head. Two that are equal
    give about -log(1e-8 sqrt(D)), which is large and finite. Of two opposite tokens each is the
    other's nearest; upstream's mask of -1 on the diagonal ties with that cosine, and a token may
    get itself.

    Args:
        tokens: `[B, D]`; of fewer than two there is no nearest one, and the loss is 0.

    Returns:
        float32, whatever autocast says; float64 of float64.
    """
    with torch.autocast(tokens.device.type, enabled=False):
        exact = at_least_float32(tokens)
        if len(exact) < 2:
            return 0 * exact.sum()  # a part of the graph still
        units = F.normalize(exact, dim=-1, eps=_TINY)
        nearest = units[_nearest(units.detach())]
        return -(F.pairwise_distance(units, nearest, eps=_TINY) + _TINY).log().mean()


def _nearest(units: Tensor) -> Tensor:
    """Of every row the other one with the highest dot product, `[B, D]` -> `[B]`."""
    return (units @ units.T).fill_diagonal_(-torch.inf).argmax(dim=1)
