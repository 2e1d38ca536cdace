"""Whether a backbone tells pictures apart that it was not trained on: right or wrong of each.

Two crops of each held-out picture are made, always the same ones. A picture is right if its first
crop is nearer to its own second one than to those of all other pictures. With labelled pictures,
it is right if most of its nearest neighbours are of its class. Neither needs a head.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from operators.backbones.preprocess import normalise
from operators.learn.estimate import Estimate, Floats, estimate
from operators.pretrain.packed import PackedTransformer

NEIGHBOURS = 10
FEWEST_PICTURES = 50  # of which a verdict can say that one is better
FEWEST_GROUPS = 8  # below, an interval over groups is none: pictures stand for themselves
TEMPERATURE = 0.07  # of votes, as DINO's evaluation has it
_TOGETHER = 16  # pictures at a time
_PIXELS = 8  # a side

Rights = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Verdict:
    """Two backbones on the same pictures.

    Attributes:
        what: is judged, in words.
        pictures: how many.
        pixels: share of pictures that are right by 8 x 8 pixels of them, for comparison.
        before, after: share that is right by either backbone.
        gain: after less before, with its interval: groups of pictures are drawn anew for both
            alike.
    """

    what: str
    pictures: int
    pixels: float
    before: float
    after: float
    gain: Estimate

    @property
    def better(self) -> bool:
        """Whether there is a gain that is no chance, as far as its interval tells."""
        return self.can_tell and self.gain.low is not None and self.gain.low > 0

    @property
    def can_tell(self) -> bool:
        """Whether so many pictures can tell anything."""
        return self.pictures >= FEWEST_PICTURES

    def plain(self) -> dict[str, Any]:
        """As JSON values."""
        shares = {name: round(getattr(self, name), 6) for name in ("pixels", "before", "after")}
        told = {"what": self.what, "pictures": self.pictures, "can_tell": self.can_tell}
        return {**told, **shares, "gain": self.gain.plain()}


def verdict(
    what: str, pixels: Rights, before: Rights, after: Rights, groups: Sequence[str]
) -> Verdict:
    """Compare.

    Args:
        what: was judged.
        pixels, before, after: of the same pictures `[n]`.
        groups: what each picture belongs to; pictures of one are not independent. Where there are
            few groups, they are taken as if they were, and the interval is narrower than the truth.
    """
    if len(set(groups)) < FEWEST_GROUPS:
        groups = [str(number) for number in range(len(pixels))]
    names, of = np.unique(np.asarray(groups), return_inverse=True)
    counts = np.bincount(of, minlength=len(names)).astype(np.float64)
    difference = after.astype(np.float64) - before.astype(np.float64)
    gains = np.bincount(of, weights=difference, minlength=len(names))

    def measure(draws: Floats) -> Floats:
        gained: Floats = draws @ gains / (draws @ counts)
        return gained

    gain = estimate(measure, len(names))
    by_pixels, was, now = (float(one.mean()) for one in (pixels, before, after))
    return Verdict(what, len(pixels), by_pixels, was, now, gain)


def right_by_crops(first: Tensor, second: Tensor) -> Rights:
    """Of each picture, whether its first crop finds its second one among all second ones.

    Args:
        first, second: vectors of the crops, of length 1, `[n, D]` each.
    """
    return ((first @ second.T).argmax(dim=1) == torch.arange(len(first))).numpy()


def right_by_neighbours(vectors: Tensor, classes: NDArray[np.int64]) -> Rights:
    """Of each picture, whether its nearest vote for its class; itself is none of them.

    Args:
        vectors: of pictures, of length 1, `[n, D]`, n >= 2.
        classes: of each, from 0, `[n]`.
    """
    alike = vectors @ vectors.T
    alike.fill_diagonal_(-torch.inf)
    cosines, rows = alike.topk(min(NEIGHBOURS, len(vectors) - 1), dim=1)
    labels = torch.from_numpy(classes)
    votes = torch.zeros(len(vectors), int(classes.max()) + 1, dtype=torch.float64)
    votes.scatter_add_(1, labels[rows], (cosines.double() / TEMPERATURE).exp())
    return (votes.argmax(dim=1) == labels).numpy()


@torch.no_grad()
def class_tokens(backbone: PackedTransformer, pictures: Tensor) -> Tensor:
    """After the final norm, of length 1, float32 on the CPU `[n, D]`.

    Args:
        backbone: any.
        pictures: uint8 `[n, 3, H, W]`.
    """
    device = backbone.cls_token.device
    found = []
    for some in torch.split(pictures, _TOGETHER):
        pixels = normalise(some.movedim(1, -1).to(device), torch.float32)
        found.append(backbone.packed([pixels])[0][:, 0].float().cpu())
    return F.normalize(torch.cat(found), dim=1)


def tiny_pixels(pictures: Tensor) -> Tensor:
    """8 x 8 pixels without their mean, of length 1, float32 `[n, 192]`.

    Args:
        pictures: uint8 `[n, 3, H, W]`.
    """
    small = F.adaptive_avg_pool2d(pictures.float(), _PIXELS).flatten(1)
    return F.normalize(small - small.mean(dim=1, keepdim=True), dim=1)
