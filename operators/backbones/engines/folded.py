"""The backbone as a CPU runs it: what is constant in inference is folded into the weights.

LayerScale goes into the layers before it, the pixels' mean and deviation into the patch embedding,
which then reads bytes as they come; bytes are exact in bfloat16, normalised pixels are not. Bytes
in, tokens out. Knows nothing of how it is run.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy

import torch
from torch import Tensor, nn

from operators.backbones.engines.engine import Tokens
from operators.backbones.engines.token_layout import TokenLayout
from operators.backbones.statistics import Statistics
from operators.backbones.vit import Block, Mlp, PatchEmbed, VisionTransformer


class FoldedVit(nn.Module):
    """A frozen `VisionTransformer`, folded, float32. Shares no memory with it."""

    def __init__(self, vit: VisionTransformer) -> None:
        """
        Args:
            vit: float32, on the CPU.
        """
        super().__init__()
        self.architecture = vit.architecture
        self.layout = TokenLayout(vit, torch.float32)
        self.embed = folded_embedding(vit.patch_embed, vit.architecture.statistics)
        self.blocks = nn.ModuleList(folded_block(block) for block in vit.blocks)
        self.norm = deepcopy(vit.norm)
        self.requires_grad_(False).eval()

    def forward(self, pixels: Tensor, blocks: Sequence[int] = ()) -> Tokens:
        """Run every block.

        Args:
            pixels: uint8 RGB `[B, H, W, 3]`, H and W multiples of the patch.
            blocks: indices of the blocks whose output is wanted as well.

        Returns:
            Tokens after the final norm, and per wanted block its tokens before it.
        """
        tokens, kept = self._embed(pixels), {}
        rotation = self.layout.rotation((pixels.shape[1], pixels.shape[2]))
        for index, block in enumerate(self.blocks):
            tokens = block(tokens, rotation)
            if index in blocks:
                kept[index] = tokens
        return self.norm(tokens), kept

    def _embed(self, pixels: Tensor) -> Tensor:
        batch, height, width, _ = pixels.shape
        first, positions = self.layout.placed((height, width))
        patches = self.embed(self.layout.tiles(pixels)) + positions
        return torch.cat((first.expand(batch, -1, -1), patches), 1)


def folded_block(block: nn.Module) -> Block:
    """A copy that does the same without LayerScale."""
    own = deepcopy(block)
    assert isinstance(own, Block)
    last = own.mlp.fc2 if isinstance(own.mlp, Mlp) else own.mlp.w3
    for layer, scale in ((own.attn.proj, own.ls1), (last, own.ls2)):
        layer.weight.data.mul_(scale.gamma[:, None])
        layer.bias.data.mul_(scale.gamma)
    own.ls1, own.ls2 = _Add(), _Add()  # type: ignore[assignment]
    return own


def folded_embedding(embed: PatchEmbed, statistics: Statistics) -> nn.Linear:
    """`W ((bytes / 255 - mean) / std) + b` as one matrix product of bytes `[..., 3 * patch**2]`."""
    weight, bias = embed.proj.weight.double(), embed.proj.bias
    assert bias is not None
    mean, std = (torch.tensor(of, dtype=torch.float64) for of in (statistics.mean, statistics.std))
    layer = nn.Linear(weight[0].numel(), len(weight))
    layer.weight.data = (weight / (255 * std)[:, None, None]).flatten(1).float()
    layer.bias.data = (bias.double() - weight.sum((2, 3)) @ (mean / std)).float()
    return layer


class _Add(nn.Module):
    """What is left of LayerScale."""

    def forward(self, tokens: Tensor, branch: Tensor) -> Tensor:
        return tokens + branch
