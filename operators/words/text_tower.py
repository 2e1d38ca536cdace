"""dino.txt's text tower (Jose et al. 2024): numbers of pieces in -> a vector of each text out.

A transformer in which a piece sees those before it; the end of the text has seen all of it.
Parameters carry upstream's names (upstream: hub/text/), so its file loads as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from operators.errors import WeightsError
from operators.weights.checkpoint import check_layout, read_tensors

_HEAD_DIM = 64  # 20 heads of a width of 1280, as in every CLIP
_NORM_EPS = 1e-5
_SIZED = (
    "backbone.token_embedding.weight",
    "backbone.positional_embedding",
    "head.linear_projection.weight",
)
_WIDER = 4  # times, inside the feed-forward part


@dataclass(frozen=True, slots=True)
class TextShape:
    """Sizes of a text tower.

    Attributes:
        width: numbers per piece.
        depth: blocks.
        context: pieces of a text at most, start and end among them.
        vocabulary: pieces that there are.
        told: numbers of the vector that comes out.
    """

    width: int = 1280
    depth: int = 24
    context: int = 77
    vocabulary: int = 49408
    told: int = 2048

    @classmethod
    def of(cls, path: Path, tensors: Mapping[str, Tensor]) -> Self:
        """Those of a file.

        Raises:
            WeightsError: it is no text tower.
        """
        found = [tensors.get(name) for name in _SIZED]
        known = [one for one in found if one is not None and one.ndim == 2]
        if len(known) < len(_SIZED):
            raise WeightsError(
                f"{path}: is no text tower of dino.txt; --text-encoder takes the published "
                f"..._text_encoder.pth, with {', '.join(_SIZED)} in it"
            )
        blocks = {name.split(".")[2] for name in tensors if name.startswith("backbone.blocks.")}
        pieces, places, told = known
        vocabulary, width = pieces.shape
        if width % _HEAD_DIM:
            raise WeightsError(f"{path}: width {width} is no multiple of {_HEAD_DIM}, a head's")
        return cls(width, len(blocks), len(places), vocabulary, len(told))


class TextTower(nn.Module):
    """Pieces `[T, N]`, int64, N at most the context -> vectors `[T, told]`."""

    def __init__(self, shape: TextShape) -> None:
        super().__init__()
        self.shape = shape
        self.backbone = _TextTransformer(shape)
        self.head = _TextHead(shape)

    def forward(self, pieces: Tensor) -> Tensor:
        """A text's vector is what stands at its largest number, which is the end of text; what
        follows there is padding, of any number below."""
        tokens = self.backbone(pieces)
        ends = tokens[torch.arange(len(pieces)), pieces.argmax(dim=-1)]
        vectors: Tensor = self.head.linear_projection(ends)
        return vectors


def load_text_tower(path: Path) -> TextTower:
    """The tower of a file, float32 on the CPU, frozen.

    Raises:
        WeightsError: no such file, damaged, or no text tower.
    """
    tensors = read_tensors(path)
    with torch.device("meta"):
        tower = TextTower(TextShape.of(path, tensors))
    check_layout(path, tensors, tower.state_dict())
    tower.load_state_dict({name: one.float() for name, one in tensors.items()}, assign=True)
    return tower.eval().requires_grad_(False)


class _TextTransformer(nn.Module):
    """`[T, N]` -> `[T, N, D]`."""

    def __init__(self, shape: TextShape) -> None:
        super().__init__()
        self.token_embedding = nn.Embedding(shape.vocabulary, shape.width)
        self.positional_embedding = nn.Parameter(torch.zeros(shape.context, shape.width))
        self.blocks = nn.ModuleList(_Block(shape.width) for _ in range(shape.depth))
        self.ln_final = nn.LayerNorm(shape.width, eps=_NORM_EPS)

    def forward(self, pieces: Tensor) -> Tensor:
        tokens = self.token_embedding(pieces) + self.positional_embedding[: pieces.shape[1]]
        for block in self.blocks:
            tokens = block(tokens)
        out: Tensor = self.ln_final(tokens)
        return out


class _TextHead(nn.Module):
    def __init__(self, shape: TextShape) -> None:
        super().__init__()
        self.linear_projection = nn.Linear(shape.width, shape.told, bias=False)


class _Block(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(width, eps=_NORM_EPS)
        self.attention = _CausalAttention(width)
        self.ffn_norm = nn.LayerNorm(width, eps=_NORM_EPS)
        self.feed_forward = _FeedForward(width)

    def forward(self, tokens: Tensor) -> Tensor:
        tokens = tokens + self.attention(self.attention_norm(tokens))
        out: Tensor = tokens + self.feed_forward(self.ffn_norm(tokens))
        return out


class _CausalAttention(nn.Module):
    """Every piece reads itself and those before it, `[T, N, D]` -> `[T, N, D]`."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.proj = nn.Linear(width, width)

    def forward(self, tokens: Tensor) -> Tensor:
        qkv = self.qkv(tokens).view(*tokens.shape[:2], 3, -1, _HEAD_DIM)
        query, key, value = qkv.permute(2, 0, 3, 1, 4).unbind(0)
        mixed = F.scaled_dot_product_attention(query, key, value, is_causal=True)
        out: Tensor = self.proj(mixed.transpose(1, 2).flatten(2))
        return out


class _FeedForward(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(width, _WIDER * width)
        self.fc2 = nn.Linear(_WIDER * width, width)

    def forward(self, tokens: Tensor) -> Tensor:
        out: Tensor = self.fc2(F.gelu(self.fc1(tokens)))  # the exact one, where CLIP's is quick
        return out
