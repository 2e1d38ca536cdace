"""A vision transformer of timm as a peer: its own forward, its tokens as our features want them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from operators.backbones.architectures import Architecture
from operators.backbones.engines.engine import Tokens
from operators.backbones.statistics import Statistics
from operators.peers.library import require_timm
from operators.peers.peer import Peer


class TimmVit(Peer):
    """Positions are resized to the grid as timm does: bicubic, with an antialias filter."""

    def __init__(
        self, name: str, model: Any, tensors: Mapping[str, Tensor], statistics: Statistics
    ) -> None:
        """
        Args:
            name: of the peer, as users write it.
            model: from `operators.peers.library.timm_vit`; it takes the tensors over.
            tensors: float32, all of its own.
            statistics: of its preprocessing.
        """
        model.load_state_dict(tensors, strict=True, assign=True)
        model = model.eval().requires_grad_(False)
        library = f"timm {require_timm().__version__}"
        super().__init__(timm_architecture(name, model), statistics, model.norm, library)
        self._model = model

    def tokens(self, pixels: Tensor, blocks: Sequence[int] = ()) -> Tokens:
        """See `Peer.tokens`."""
        wanted = sorted(set(blocks))
        last, seen = self._model.forward_intermediates(
            pixels, indices=wanted or 1, return_prefix_tokens=True, output_fmt="NLC"
        )
        kept = (torch.cat((prefix, patches), dim=1) for patches, prefix in seen)
        return last, dict(zip(wanted, kept, strict=False))


def timm_architecture(name: str, model: Any) -> Architecture:
    """Its sizes.

    Args:
        name: of the peer.
        model: from `operators.peers.library.timm_vit`.
    """
    return Architecture(
        name,
        width=model.embed_dim,
        depth=len(model.blocks),
        heads=model.blocks[0].attn.num_heads,
        registers=model.num_prefix_tokens - 1,
        patch=model.patch_embed.patch_size[0],
        grid=model.patch_embed.grid_size[0],
    )
