"""The folded backbone in torch, made of products that end in what follows them.

Rows are `[B*M, D]`: M is a frame's N tokens, and in bfloat16 some padding that no token sees.
The residual stream is float32 whatever products are: rounded 24 times, it was most of the error.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from operators.backbones.engines.engine import Tokens
from operators.backbones.engines.folded import folded_block, folded_embedding
from operators.backbones.engines.products import product
from operators.backbones.engines.token_layout import TokenLayout
from operators.backbones.rotary import Rotation, rotate
from operators.backbones.vit import Block, SwiGlu, VisionTransformer

_TILE_ROWS = 16  # of a bfloat16 tile: attention over 257 tokens takes 1.2 times as long as over 272


class LeanVit:
    """A frozen `VisionTransformer`. Shares no memory with it but the last norm's."""

    def __init__(self, vit: VisionTransformer, dtype: torch.dtype) -> None:
        """
        Args:
            vit: float32, on the CPU.
            dtype: of weights and products: float32 or bfloat16.
        """
        self._layout = TokenLayout(vit, dtype)
        self._embed = product(folded_embedding(vit.patch_embed, vit.architecture.statistics), dtype)
        self._blocks = [LeanBlock(folded_block(block), dtype) for block in vit.blocks]
        self._norm = LeanNorm(vit.norm, torch.float32)
        self._multiple = _TILE_ROWS if dtype == torch.bfloat16 else 1

    def __call__(self, pixels: Tensor, blocks: Sequence[int] = ()) -> Tokens:
        """Run every block.

        Args:
            pixels: uint8 RGB `[B, H, W, 3]`, H and W multiples of the patch.
            blocks: indices of the blocks whose output is wanted as well.

        Returns:
            Tokens after the final norm, and per wanted block its tokens before it, float32.
        """
        count, height, width, _ = pixels.shape
        tokens = self._layout.tokens((height, width))
        padded = -(-tokens // self._multiple) * self._multiple
        mask = _mask(tokens, padded) if padded > tokens else None
        rotation = self._layout.rotation((height, width))
        turns = rotation and rotation.padded(padded)
        rows, kept = self._placed(pixels, padded), {}

        def seen() -> Tensor:
            return rows.view(count, padded, -1)[:, :tokens]

        for index, block in enumerate(self._blocks):
            rows = block(rows, count, mask, turns)
            if index in blocks:
                kept[index] = seen().clone()  # the next block writes over it
        return self._norm(seen()), kept

    def _placed(self, pixels: Tensor, padded: int) -> Tensor:
        """Rows before the first block."""
        first, positions = self._layout.placed((pixels.shape[1], pixels.shape[2]))
        frames = []
        for tiles in self._layout.tiles(pixels):
            patches = self._embed.added(tiles, positions[0].clone())
            padding = patches.new_zeros(padded - len(first[0]) - len(patches), patches.shape[1])
            frames.append(torch.cat((first[0], patches, padding)))
        return torch.cat(frames)


class LeanBlock:
    """Rows `[B*M, D]` of some frames to rows, float32; perhaps in their own memory."""

    def __init__(self, block: Block, dtype: torch.dtype) -> None:
        self._norm1, self._norm2 = LeanNorm(block.norm1, dtype), LeanNorm(block.norm2, dtype)
        self._parts = (3, block.attn.heads, block.attn.head_dim)
        self._qkv, self._proj = product(block.attn.qkv, dtype), product(block.attn.proj, dtype)
        mlp = block.mlp
        self._gated = isinstance(mlp, SwiGlu)
        wide, narrow = (mlp.w12, mlp.w3) if isinstance(mlp, SwiGlu) else (mlp.fc1, mlp.fc2)
        self._widen, self._narrow = product(wide, dtype), product(narrow, dtype)

    def __call__(
        self, rows: Tensor, count: int, mask: Tensor | None, rotation: Rotation | None = None
    ) -> Tensor:
        mixed = self._attention(self._norm1(rows), count, mask, rotation)
        rows = self._proj.added(mixed, rows)
        # Frame by frame: a frame's hidden rows stay in the cache, and oneDNN splits the sums over
        # the hidden width by the number of rows, so that together they would have other bits.
        for one in rows.view(count, -1, rows.shape[1]):
            one.copy_(self._narrow.added(self._hidden(self._norm2(one)), one))
        return rows

    def _attention(
        self, rows: Tensor, count: int, mask: Tensor | None, rotation: Rotation | None
    ) -> Tensor:
        qkv = self._qkv(rows).view(count, -1, *self._parts)
        if rotation:
            for one in torch.split(qkv, 1):  # what is in between stays in the cache, as below
                rotate(one, rotation)
        query, key, value = qkv.permute(2, 0, 3, 1, 4).unbind(0)
        mixed = F.scaled_dot_product_attention(query, key, value, attn_mask=mask)
        return mixed.transpose(1, 2).reshape(rows.shape)

    def _hidden(self, rows: Tensor) -> Tensor:
        if not self._gated:
            return self._widen.gelu(rows)
        gate, value = self._widen(rows).chunk(2, dim=1)
        return F.silu(gate) * value


class LeanNorm:
    """LayerNorm without a module's detours: 25 a frame, under Python's lock. In float32."""

    def __init__(self, norm: nn.LayerNorm, dtype: torch.dtype) -> None:
        """
        Args:
            norm: float32.
            dtype: of what comes out.
        """
        self._weight, self._bias = norm.weight.detach(), norm.bias.detach()
        self._epsilon, self._dtype = norm.eps, dtype

    def __call__(self, tokens: Tensor) -> Tensor:
        shape = self._weight.shape
        even = torch.layer_norm(tokens, shape, self._weight, self._bias, self._epsilon)
        return even.to(self._dtype)


def _mask(tokens: int, padded: int) -> Tensor:
    """What is added to scores, float32 `[1, 1, 1, M]`: padding is no key."""
    row = torch.zeros(padded)
    row[tokens:] = -torch.inf
    return row.view(1, 1, 1, padded)
