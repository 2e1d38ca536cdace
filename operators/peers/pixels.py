"""The floor of every comparison: colours of a few cells, as if a backbone had seen them.

The class token is the whole picture in 8 x 8 cells, a patch's token that patch in 8 x 8 cells: mean
colours, no weights. What a backbone does not do better, it has not learnt.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from operators.backbones.architectures import Architecture
from operators.backbones.engines.engine import Tokens
from operators.backbones.statistics import IMAGENET
from operators.peers.peer import Peer

CELLS = 8  # a side
PATCH = 14  # DINOv2's, so that patches are where ours are


class PixelCells(Peer):
    """One block, whose output is what comes after it: there is no norm."""

    def __init__(self, name: str) -> None:
        """
        Args:
            name: of the peer.
        """
        sizes = Architecture(name, width=3 * CELLS**2, depth=1, heads=1, patch=PATCH)
        super().__init__(sizes, IMAGENET, nn.Identity(), "mean colours")

    def tokens(self, pixels: Tensor, blocks: Sequence[int] = ()) -> Tokens:
        """See `Peer.tokens`."""
        count = len(pixels)
        tiles = F.unfold(pixels, PATCH, stride=PATCH).transpose(1, 2)  # [B, h*w, 3*14*14]
        patches = _cells(tiles.reshape(-1, 3, PATCH, PATCH)).view(count, -1, 3 * CELLS**2)
        tokens = torch.cat((_cells(pixels)[:, None], patches), dim=1)
        return tokens, {block: tokens for block in blocks}


def _cells(pixels: Tensor) -> Tensor:
    """`[B, 3, H, W]` -> `[B, 192]`."""
    return F.adaptive_avg_pool2d(pixels, CELLS).flatten(1)
