"""Whether a backbone tells pictures apart that it was not trained on: right or wrong of each.

Two views of each held-out picture are made, always the same ones. One is right if its class token
is nearer to that of the picture's other view than to those of all other pictures. With labelled
pictures it is right if most of its nearest neighbours are of its class. Both need no head.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from operators.backbones.preprocess import normalise
from operators.learn.estimate import Estimate, Floats, estimate
from operators.pretrain.packed import PackedTransformer

NEIGHBOURS = 10
_TOGETHER = 16  # pictures at a time

Rights = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Verdict:
    """A backbone before and after, on the same pictures.

    Attributes:
        what: is judged, in words.
        before, after: share of pictures that are right.
        gain: of that share, with its interval: groups of pictures drawn anew for both alike.
    """

    what: str
    before: float
    after: float
    gain: Estimate

    @property
    def better(self) -> bool:
        """Whether there is any gain; its interval says how sure it is."""
        return self.gain.value > 0

    def plain(self) -> dict[str, object]:
        """As JSON values."""
        return {
            "what": self.what,
            "before": round(self.before, 6),
            "after": round(self.after, 6),
            "gain": self.gain.plain(),
        }


def verdict(what: str, before: Rights, after: Rights, groups: Sequence[str]) -> Verdict:
    """Compare.

    Args:
        what: was judged.
        before, after: of the same pictures `[n]`.
        groups: what each picture belongs to; pictures of one are not independent.
    """
    names, of = np.unique(np.asarray(groups), return_inverse=True)
    counts = np.bincount(of, minlength=len(names)).astype(np.float64)
    difference = after.astype(np.float64) - before.astype(np.float64)
    gains = np.bincount(of, weights=difference, minlength=len(names))

    def measure(draws: Floats) -> Floats:
        gained: Floats = draws @ gains / (draws @ counts)
        return gained

    return Verdict(what, float(before.mean()), float(after.mean()), estimate(measure, len(names)))


def right_by_views(backbone: PackedTransformer, views: Tensor) -> Rights:
    """Of each picture, whether its first view finds its second one among all second ones.

    Args:
        backbone: any.
        views: uint8 `[2, n, 3, H, W]`.
    """
    first, second = (class_tokens(backbone, one) for one in views)
    nearest = (first @ second.T).argmax(dim=1)
    return (nearest == torch.arange(len(first))).numpy()


def right_by_neighbours(
    backbone: PackedTransformer, pictures: Tensor, classes: NDArray[np.int64]
) -> Rights:
    """Of each picture, whether most of its nearest are of its class; itself is none of them.

    Votes weigh exp(cosine / 0.07), as DINO's evaluation has it.

    Args:
        backbone: any.
        pictures: uint8 `[n, 3, H, W]`, n >= 2.
        classes: of each `[n]`.
    """
    tokens = class_tokens(backbone, pictures)
    alike = tokens @ tokens.T
    alike.fill_diagonal_(-torch.inf)
    cosines, rows = alike.topk(min(NEIGHBOURS, len(tokens) - 1), dim=1)
    labels = torch.from_numpy(classes)
    votes = torch.zeros(len(tokens), int(classes.max()) + 1, dtype=torch.float64)
    votes.scatter_add_(1, labels[rows], (cosines.double() / 0.07).exp())
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
    for some in pictures.split(_TOGETHER):
        pixels = normalise(some.movedim(1, -1).to(device), torch.float32)
        found.append(backbone.packed([pixels])[0][:, 0].float().cpu())
    return F.normalize(torch.cat(found), dim=1)
