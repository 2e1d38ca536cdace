"""A few patches per place that stand for all that were seen there: passes over grids in -> centres.

Greedy k-centre (Gonzalez 1985), with which PatchCore thins its memory (arXiv 2106.08265), place by
place: each centre is the patch that is least like those before it. So the largest distance of what
was seen becomes small, which is what a threshold far out asks for. The footage is read once per
centre and never held as a whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from torch import Tensor
from torch.nn.functional import normalize

Pass = Callable[[], Iterable[Tensor]]
"""Called once per centre: all that was seen, float32 `[n, h, w, D]` at a time, in the same order
every time."""


def k_centres(seen: Pass, count: int, *, tell: Callable[[int], None]) -> Tensor:
    """Centres of every place, of length one.

    The first is the mean direction of all patches there, the others are patches. Where fewer
    different ones were seen, some are there twice. The same passes give the same centres.

    Args:
        seen: the footage; one grid at least.
        count: K, centres of each place.
        tell: told how many there are.

    Returns:
        float32 `[h, w, K, D]`.
    """
    total = sum(normalize(grids, dim=-1).double().sum(dim=0) for grids in seen())
    assert isinstance(total, Tensor)
    centres = [normalize(total, dim=-1).float()]
    likeness: list[Tensor] = []  # of every patch to the nearest centre, by the parts of a pass
    tell(1)
    while len(centres) < count:
        centres.append(_farthest(seen(), centres[-1], likeness))
        tell(len(centres))
    return torch.stack(centres, dim=2)


def _farthest(seen: Iterable[Tensor], newest: Tensor, likeness: list[Tensor]) -> Tensor:
    """The patch of each place that is least like all centres, `[h, w, D]`; `likeness` grows by the
    newest of them. Of equal ones the first."""
    least = torch.full(newest.shape[:2], torch.inf)
    found = newest
    for number, grids in enumerate(seen):
        unit = normalize(grids, dim=-1)
        own = (unit * newest).sum(dim=-1)
        if number == len(likeness):
            likeness.append(own)
        likeness[number] = torch.maximum(likeness[number], own)
        lowest, row = likeness[number].min(dim=0)
        patches = unit.gather(0, row[None, :, :, None].expand(1, *newest.shape))[0]
        found = torch.where((lowest < least)[..., None], patches, found)
        least = torch.minimum(least, lowest)
    return found
