"""A backbone in training: pictures of several sizes in one pass.

All but attention works on tokens one by one, so the tokens of all sizes lie one behind the other
and go through each linear layer and each norm once; attention stays within each picture. That is
the sequence packing of DINOv2 (arXiv 2304.07193, section 5), equal to a pass per size but for
rounding. Parameters keep their names, so a file of one loads into the other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn

from kernels.attention import packed_attention
from operators.backbones.architectures import Architecture
from operators.backbones.vit import Block, VisionTransformer, resize_positions


@dataclass(frozen=True, slots=True)
class Pack:
    """How pictures lie one behind the other, and which of them a branch leaves out.

    Attributes:
        sizes: pictures and tokens of each, per size.
        drop: share of the pictures of a size that each branch leaves out (stochastic depth,
            arXiv 1603.09382); at least one stays.
        draw: which; wanted where `drop` is not 0.
    """

    sizes: tuple[tuple[int, int], ...]
    drop: float = 0.0
    draw: torch.Generator | None = None

    @property
    def lengths(self) -> list[int]:
        """Tokens of each picture."""
        return [each for pictures, each in self.sizes for _ in range(pictures)]

    def split(self, tokens: Tensor) -> list[Tensor]:
        """`[total, ...]` -> per size `[B, N, ...]`."""
        parts = torch.split(tokens, [pictures * each for pictures, each in self.sizes])
        return [
            part.view(*size, *part.shape[1:]) for part, size in zip(parts, self.sizes, strict=True)
        ]

    def kept(self, device: torch.device) -> tuple[Pack, Tensor, Tensor]:
        """What one branch computes: the pack of it, its rows among all, and what each row weighs.

        A row weighs more the more were left out, so that the branch is as large in expectation.
        """
        sizes, rows, weights, first = [], [], [], 0
        for pictures, each in self.sizes:
            count = max(1, int(pictures * (1 - self.drop)))
            chosen = torch.randperm(pictures, generator=self.draw)[:count, None]
            rows.append((first + chosen * each + torch.arange(each)).flatten())
            weights.append(torch.full((count * each, 1), pictures / count))
            sizes.append((count, each))
            first += pictures * each
        where, weighs = torch.cat(rows).to(device), torch.cat(weights).to(device)
        return Pack(tuple(sizes)), where, weighs


class PackedBlock(Block):
    """A block that computes pictures of several sizes at once."""

    def packed(self, tokens: Tensor, pack: Pack) -> Tensor:
        """
        Args:
            tokens: of all sizes, `[total, D]`.
            pack: how they lie.
        """
        tokens = _added(tokens, pack, self.ls1.gamma, self._attended)
        return _added(tokens, pack, self.ls2.gamma, self._fed)

    def _attended(self, tokens: Tensor, pack: Pack) -> Tensor:
        heads, each = self.attn.heads, self.attn.head_dim
        qkv = self.attn.qkv(self.norm1(tokens)).view(len(tokens), 3, heads, each)
        out: Tensor = self.attn.proj(packed_attention(qkv, pack.lengths))
        return out

    def _fed(self, tokens: Tensor, _: Pack) -> Tensor:
        out: Tensor = self.mlp(self.norm2(tokens))
        return out


class PackedTransformer(VisionTransformer):
    """The backbone, with a pass for training."""

    def __init__(self, arch: Architecture) -> None:
        """
        Args:
            arch: its sizes.
        """
        super().__init__(arch)
        self.blocks = nn.ModuleList(PackedBlock(arch) for _ in range(arch.depth))

    def packed(
        self,
        crops: Sequence[Tensor],
        *,
        masks: Tensor | None = None,
        drop: float = 0.0,
        draw: torch.Generator | None = None,
    ) -> list[Tensor]:
        """Run every block over pictures of several sizes.

        Args:
            crops: ImageNet-normalised pixels, `[B, 3, H, W]` of each size, multiples of the patch.
            masks: patches of the first size that are hidden, bool `[B, h*w]`.
            drop: share of pictures that each branch of a block leaves out, 0 <= drop < 1.
            draw: decides which, on the CPU; none are left out where it is None.

        Returns:
            Per size the tokens after the final norm, `[B, N, D]`.

        Raises:
            ValueError: sizes that are no multiples of the patch, or `drop` without `draw`.
        """
        if not 0 <= drop < 1 or (drop and draw is None):
            raise ValueError(f"drop {drop} wants to be at least 0 and below 1, and a generator")
        hidden = [masks, *[None] * (len(crops) - 1)]
        lists = [self.begun(pixels, mask) for pixels, mask in zip(crops, hidden, strict=True)]
        pack = Pack(tuple((len(one), one.shape[1]) for one in lists), drop, draw)
        tokens = torch.cat([one.flatten(0, 1) for one in lists])
        for block in self.blocks:
            tokens = cast(PackedBlock, block).packed(tokens, pack)
        # Size by size, so that none is a view: what is sharded hooks into what comes out of it.
        return [self.norm(one) for one in pack.split(tokens)]

    def begun(self, pixels: Tensor, mask: Tensor | None) -> Tensor:
        """Tokens before the first block. Positions are never kept: they change step by step."""
        patch = self.architecture.patch
        height, width = pixels.shape[2:]
        if height % patch or width % patch:
            raise ValueError(f"crops of {height}x{width} must be multiples of {patch}")
        patches = self.patch_embed(pixels)
        if mask is not None:
            patches = torch.where(mask[..., None], self.mask_token.to(patches.dtype), patches)
        assert self.pos_embed is not None  # positions that turn are not trained here
        size_hw = (height // patch, width // patch)
        return self.arranged(patches, resize_positions(self.pos_embed, size_hw, self.architecture))


def _added(
    tokens: Tensor, pack: Pack, gamma: Tensor, branch: Callable[[Tensor, Pack], Tensor]
) -> Tensor:
    """The residual stream with one branch added."""
    if not pack.drop:
        return torch.addcmul(tokens, branch(tokens, pack), gamma)
    kept, rows, weights = pack.kept(tokens.device)
    scaled = branch(tokens[rows], kept) * gamma * weights
    return tokens.index_add(0, rows, scaled.to(tokens.dtype))
