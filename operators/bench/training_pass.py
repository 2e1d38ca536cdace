"""A student's pass over crops of two sizes in the ways that DINOv2's paper compares with its own.

Crops in -> tokens out. What training runs is `PackedTransformer.packed`; the others are here to be
measured beside it. arXiv 2304.07193, section 5. Must not time anything.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from kernels.attention import attention
from operators.backbones.vit import Block
from operators.pretrain.packed import Pack, PackedTransformer

Attention = Callable[[Tensor], Tensor]
"""`[B, N, 3, A, K]` -> `[B, N, A*K]`."""


@dataclass(frozen=True, slots=True)
class Rung:
    """One step of the ladder; each does what the one before does, and one thing more.

    Attributes:
        name: a letter.
        does: in words.
        tokens: vit, crops `[B, 3, H, W]` of each size, drop, draw -> tokens `[B, N, D]` of each.
    """

    name: str
    does: str
    tokens: Callable[[PackedTransformer, Sequence[Tensor], float, torch.Generator], list[Tensor]]


def materialised_attention(qkv: Tensor) -> Tensor:
    """Softmax attention whose weights `[B, A, N, N]` are tensors, kept for the gradient.

    Args:
        qkv: `[B, N, 3, A, K]`.

    Returns:
        `[B, N, A*K]`.
    """
    q, k, v = qkv.permute(2, 0, 3, 1, 4).unbind(0)
    weights = (q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])).softmax(-1)
    return (weights.to(v.dtype) @ v).transpose(1, 2).flatten(2)


def masked_tokens(
    vit: PackedTransformer,
    crops: Sequence[Tensor],
    drop: float,
    draw: torch.Generator,
    *,
    attend: Attention = attention,
) -> list[Tensor]:
    """Packed, but every branch is computed of every crop, and that of some multiplied by 0.

    Args:
        vit: the student.
        crops: normalised pixels `[B, 3, H, W]` of each size that goes into the pack.
        drop: share of the crops of a size whose branch is multiplied by 0.
        draw: which.
        attend: attention of the crops of one size.

    Returns:
        Per size the tokens after the final norm, `[B, N, D]`.
    """
    lists = [vit.begun(pixels, None) for pixels in crops]
    pack = Pack(tuple((len(one), one.shape[1]) for one in lists), drop, draw)
    tokens = torch.cat([one.flatten(0, 1) for one in lists])
    for block in vit.blocks:
        assert isinstance(block, Block)
        tokens = block.ls1(tokens, _masked(_attended(block, tokens, pack, attend), pack))
        tokens = block.ls2(tokens, _masked(block.mlp(block.norm2(tokens)), pack))
    return pack.split(vit.norm(tokens))


def separate_tokens(
    vit: PackedTransformer,
    crops: Sequence[Tensor],
    drop: float,
    draw: torch.Generator,
    *,
    attend: Attention = attention,
) -> list[Tensor]:
    """The same with a pass of its own for each size."""
    return [masked_tokens(vit, [one], drop, draw, attend=attend)[0] for one in crops]


def _plain(
    vit: PackedTransformer, crops: Sequence[Tensor], drop: float, draw: torch.Generator
) -> list[Tensor]:
    return separate_tokens(vit, crops, drop, draw, attend=materialised_attention)


def _skipping(
    vit: PackedTransformer, crops: Sequence[Tensor], drop: float, draw: torch.Generator
) -> list[Tensor]:
    return vit.packed(crops, drop=drop, draw=draw)


RUNGS = (
    Rung("a", "a pass per size, attention's weights in memory, dropped branches computed", _plain),
    Rung("b", "attention fused", separate_tokens),
    Rung("c", "linear layers over both sizes at once", masked_tokens),
    Rung("d", "dropped branches skipped: what training runs", _skipping),
)


def _attended(block: Block, tokens: Tensor, pack: Pack, attend: Attention) -> Tensor:
    heads, each = block.attn.heads, block.attn.head_dim
    qkv = block.attn.qkv(block.norm1(tokens)).view(len(tokens), 3, heads, each)
    mixed = torch.cat([attend(part).flatten(0, 1) for part in pack.split(qkv)])
    out: Tensor = block.attn.proj(mixed)
    return out


def _masked(branch: Tensor, pack: Pack) -> Tensor:
    """The branch of each crop times 0, or times more than 1; which, as skipping draws them."""
    if not pack.drop:
        return branch
    _, rows, weighs = pack.kept(branch.device)
    return branch * branch.new_zeros(len(branch), 1).index_copy(0, rows, weighs.to(branch.dtype))
