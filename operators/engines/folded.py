"""The backbone as a CPU runs it: what is constant in inference is folded into the weights.

LayerScale goes into the layers before it, ImageNet's mean and deviation into the patch embedding,
which then reads bytes as they come; bytes are exact in bfloat16, normalised pixels are not. Bytes
in, tokens out. Knows nothing of how it is run.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy

import torch
from torch import Tensor, nn

from operators.engines.engine import Tokens
from operators.preprocess import IMAGENET_MEAN, IMAGENET_STD
from operators.vit import Block, Mlp, PatchEmbed, VisionTransformer, resize_positions

_KEPT_SIZES = 32  # positional embeddings kept, one per frame size; the largest takes 8 MB


class FoldedVit(nn.Module):
    """A frozen `VisionTransformer`, folded. Shares no memory with it."""

    def __init__(self, vit: VisionTransformer, dtype: torch.dtype) -> None:
        """
        Args:
            vit: float32, on the CPU.
            dtype: of weights and products.
        """
        super().__init__()
        self.architecture = vit.architecture
        self._dtype = dtype
        self._table = vit.pos_embed.detach().float().clone()
        self._positions: dict[tuple[int, int], Tensor] = {}
        registers = vit.register_tokens
        named = (vit.cls_token, *(() if registers is None else (registers,)))
        self._first = torch.cat([token.detach().float() for token in named], 1)
        self.embed = _embedding(vit.patch_embed).to(dtype)
        self.blocks = nn.ModuleList(_folded(block) for block in vit.blocks).to(dtype)
        self.norm = deepcopy(vit.norm)
        self.requires_grad_(False).eval()

    def forward(self, pixels: Tensor, blocks: Sequence[int] = ()) -> Tokens:
        """Run every block.

        Args:
            pixels: uint8 RGB `[B, H, W, 3]`, H and W multiples of the patch.
            blocks: indices of the blocks whose output is wanted as well.

        Returns:
            Tokens after the final norm, float32, and per wanted block its tokens before it, of the
            products' dtype.
        """
        tokens, kept = self._embed(pixels), {}
        for index, block in enumerate(self.blocks):
            tokens = block(tokens)
            if index in blocks:
                kept[index] = tokens
        return self.norm(tokens.float()), kept

    def _embed(self, pixels: Tensor) -> Tensor:
        batch, height, width, colours = pixels.shape
        side = self.architecture.patch
        h, w = height // side, width // side
        tiles = pixels.view(batch, h, side, w, side, colours).permute(0, 1, 3, 5, 2, 4)
        patches = self.embed(tiles.reshape(batch, h * w, -1).to(self._dtype))
        first, positions = self.placed(h, w)
        return torch.cat((first.expand(batch, -1, -1), patches + positions), 1)

    def tokens(self, size_hw: tuple[int, int]) -> int:
        """N of a frame of a size."""
        height, width = size_hw
        side = self.architecture.patch
        return self._first.shape[1] + (height // side) * (width // side)

    def placed(self, h: int, w: int) -> tuple[Tensor, Tensor]:
        """Class and register tokens `[1, 1 + R, D]`, and what each patch's place adds `[1, hw, D]`.

        Args:
            h: patches down.
            w: patches across.
        """
        table = self._positions.get((h, w))
        if table is None:  # several threads may come here at once: each is right
            table = resize_positions(self._table, (h, w), self.architecture)
            if len(self._positions) >= _KEPT_SIZES:
                self._positions.clear()
            self._positions[h, w] = table
        first = torch.cat((self._first[:, :1] + table[:, :1], self._first[:, 1:]), 1)
        return first.to(self._dtype), table[:, 1:].to(self._dtype)


class _Add(nn.Module):
    """What is left of LayerScale."""

    def forward(self, tokens: Tensor, branch: Tensor) -> Tensor:
        return tokens + branch


def _folded(block: nn.Module) -> Block:
    own = deepcopy(block)
    assert isinstance(own, Block)
    last = own.mlp.fc2 if isinstance(own.mlp, Mlp) else own.mlp.w3
    for layer, scale in ((own.attn.proj, own.ls1), (last, own.ls2)):
        layer.weight.data.mul_(scale.gamma[:, None])
        layer.bias.data.mul_(scale.gamma)
    own.ls1, own.ls2 = _Add(), _Add()  # type: ignore[assignment]
    return own


def _embedding(embed: PatchEmbed) -> nn.Linear:
    """`W ((bytes / 255 - mean) / std) + b` as one matrix product of bytes `[..., 588]`."""
    weight, bias = embed.proj.weight.double(), embed.proj.bias
    assert bias is not None
    mean, std = (torch.tensor(of, dtype=torch.float64) for of in (IMAGENET_MEAN, IMAGENET_STD))
    layer = nn.Linear(weight[0].numel(), len(weight))
    layer.weight.data = (weight / (255 * std)[:, None, None]).flatten(1).float()
    layer.bias.data = (bias.double() - weight.sum((2, 3)) @ (mean / std)).float()
    return layer
