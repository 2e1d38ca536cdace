"""The backbone with torch's own attention, for machines that have no transformers to compare with.

What transformers computes with SDPA, layer by layer, and so takes about as long.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

from operators.backbones.vit import Attention, Block, VisionTransformer


class SdpaAttention(nn.Module):
    """An attention's weights, computed by torch; `[B, N, D]` -> `[B, N, D]`."""

    def __init__(self, own: Attention) -> None:
        """
        Args:
            own: whose weights it takes over.
        """
        super().__init__()
        self.heads = own.heads
        self.head_dim = own.head_dim
        self.qkv = own.qkv
        self.proj = own.proj

    def forward(self, tokens: Tensor, rotation: None = None) -> Tensor:
        batch, count, _ = tokens.shape
        parts = self.qkv(tokens).view(batch, count, 3, self.heads, self.head_dim)
        q, k, v = parts.permute(2, 0, 3, 1, 4).unbind(0)
        mixed = scaled_dot_product_attention(q, k, v).transpose(1, 2)
        out: Tensor = self.proj(mixed.reshape(batch, count, -1))
        return out


def plain_model(vit: VisionTransformer) -> VisionTransformer:
    """The same model, changed: no block of it uses our kernel any more."""
    for block in vit.blocks:
        assert isinstance(block, Block)
        block.attn = SdpaAttention(block.attn)  # type: ignore[assignment]
    return vit
