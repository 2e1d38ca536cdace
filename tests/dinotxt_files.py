"""dino.txt small: files by upstream's names (dinov2/hub/text/, dinov2/layers/), weights seeded."""

from __future__ import annotations

import gzip
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import torch
from safetensors.torch import save_file

from operators.backbones.architectures import Architecture
from operators.backbones.random_weights import random_tensors
from tests.operators.data.make_vit_goldens import seeded_tensors

ARCH = Architecture("dinov2_small_reg", width=128, depth=2, heads=2, registers=4, grid=5)
HIDDEN = 384  # 2/3 of 4 x 128, up to a multiple of 64
VOCABULARY, CONTEXT, TEXT_WIDTH, TEXT_DEPTH = 560, 24, 128, 2

SAMPLE = """a photo of the person. a photo of a forklift. many empty floors, people's photos
café façade naïve 2026 don't forklift's person floor photo photo photo (a) the a of of the"""


@dataclass(frozen=True, slots=True)
class Files:
    """Upstream's three files, and the weights of a backbone."""

    vision_head: Path
    text_encoder: Path
    vocabulary: Path
    backbone: Path

    @property
    def vision(self) -> dict[str, torch.Tensor]:
        return torch.load(self.vision_head)

    @property
    def text(self) -> dict[str, torch.Tensor]:
        return torch.load(self.text_encoder)


def block_shapes(width: int, hidden: int) -> dict[str, tuple[int, ...]]:
    of_width = ("norm1.weight", "norm1.bias", "attn.proj.bias", "ls1.gamma")
    of_width += ("norm2.weight", "norm2.bias", "mlp.w3.bias", "ls2.gamma")
    return {
        "attn.qkv.weight": (3 * width, width),
        "attn.proj.weight": (width, width),
        "mlp.w1.weight": (hidden, width),
        "mlp.w1.bias": (hidden,),
        "mlp.w2.weight": (hidden, width),
        "mlp.w2.bias": (hidden,),
        "mlp.w3.weight": (width, hidden),
        **{name: (width,) for name in of_width},
    }


def text_block_shapes(width: int) -> dict[str, tuple[int, ...]]:
    of_width = ("attention_norm.weight", "attention_norm.bias", "attention.proj.bias")
    of_width += ("ffn_norm.weight", "ffn_norm.bias", "feed_forward.fc2.bias")
    return {
        "attention.qkv.weight": (3 * width, width),
        "attention.proj.weight": (width, width),
        "feed_forward.fc1.weight": (4 * width, width),
        "feed_forward.fc1.bias": (4 * width,),
        "feed_forward.fc2.weight": (width, 4 * width),
        **{name: (width,) for name in of_width},
    }


def learnt_merges(count: int) -> list[tuple[str, str]]:
    """Pairs of bytes' symbols by how often they stand side by side, as BPE is trained."""
    words = Counter(SAMPLE.split())
    pieces = {word: [*_seen(word)[:-1], f"{_seen(word)[-1]}</w>"] for word in words}
    merges = []
    while len(merges) < count:
        pairs = Counter()
        for word, own in pieces.items():
            for pair in pairwise(own):
                pairs[pair] += words[word]
        best = max(sorted(pairs), key=pairs.__getitem__)
        merges.append(best)
        pieces = {word: _joined(own, best) for word, own in pieces.items()}
    return merges


def _seen(word: str) -> list[str]:
    """Bytes as CLIP's files write them: those of the sample are characters of Latin-1."""
    return [chr(byte) for byte in word.encode()]


def _joined(own: list[str], pair: tuple[str, str]) -> list[str]:
    out: list[str] = []
    for piece in own:
        if out and (out[-1], piece) == pair:
            out[-1] += piece
        else:
            out.append(piece)
    return out


def write_files(folder: Path, merges: Sequence[tuple[str, str]]) -> Files:
    """Into a folder.

    Args:
        folder: where to.
        merges: of the vocabulary, as `learnt_merges` gives them.
    """
    paths = Files(
        folder / "small_vision_head.pth",
        folder / "small_text_encoder.pth",
        folder / "vocabulary.txt.gz",
        folder / "backbone.safetensors",
    )
    for path, shapes in ((paths.vision_head, vision_shapes()), (paths.text_encoder, text_shapes())):
        seeded = seeded_tensors(shapes)
        torch.save({name: torch.from_numpy(one) for name, one in seeded.items()}, path)
    lines = ["#version: 0.2", *(" ".join(pair) for pair in merges), "left over"]
    paths.vocabulary.write_bytes(gzip.compress("\n".join(lines).encode()))
    save_file(random_tensors(ARCH, 0), paths.backbone)
    return paths


def vision_shapes() -> Mapping[str, tuple[int, ...]]:
    return {
        **{
            f"block_list.{n}.{name}": shape
            for n in range(2)
            for name, shape in block_shapes(ARCH.width, HIDDEN).items()
        },
        **{f"ln_final.{of}": (ARCH.width,) for of in ("weight", "bias")},
    }


def text_shapes() -> Mapping[str, tuple[int, ...]]:
    return {
        **{
            f"backbone.blocks.{n}.{name}": shape
            for n in range(TEXT_DEPTH)
            for name, shape in text_block_shapes(TEXT_WIDTH).items()
        },
        **{f"backbone.ln_final.{of}": (TEXT_WIDTH,) for of in ("weight", "bias")},
        "backbone.token_embedding.weight": (VOCABULARY, TEXT_WIDTH),
        "backbone.positional_embedding": (CONTEXT, TEXT_WIDTH),
        "head.linear_projection.weight": (2 * ARCH.width, TEXT_WIDTH),
    }
