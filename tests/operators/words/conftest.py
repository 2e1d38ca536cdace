"""dino.txt small: files with upstream's names and seeded weights, and what upstream's modules make
of them, written out in float64.

The formulas follow upstream's list of modules (dinov2/hub/text/, dinov2/layers/) one by one.
"""

from __future__ import annotations

import gzip
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from operators.backbones.architectures import Architecture
from operators.backbones.random_weights import random_tensors
from operators.learn.head_file import write_head

ARCH = Architecture("dinov2_small_reg", width=128, depth=2, heads=2, registers=4, grid=5)
HIDDEN = 384  # 2/3 of 4 x 128, up to a multiple of 64
VOCABULARY, CONTEXT, TEXT_WIDTH, TEXT_DEPTH = 560, 24, 128, 2
LABELS = ("person", "forklift", "empty floor")

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
    from tokenizers import pre_tokenizers

    level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    words = Counter(SAMPLE.split())
    pieces = {}
    for word in words:
        ((symbols, _),) = level.pre_tokenize_str(word)
        pieces[word] = [*symbols[:-1], f"{symbols[-1]}</w>"]
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


def _joined(own: list[str], pair: tuple[str, str]) -> list[str]:
    out: list[str] = []
    for piece in own:
        if out and (out[-1], piece) == pair:
            out[-1] += piece
        else:
            out.append(piece)
    return out


@pytest.fixture(scope="session")
def merges() -> list[tuple[str, str]]:
    pytest.importorskip("tokenizers")
    return learnt_merges(VOCABULARY - 514)


@pytest.fixture(scope="session")
def files(vit_recipe: Any, merges: Any, tmp_path_factory: pytest.TempPathFactory) -> Files:
    """Written once, by upstream's names."""
    folder = tmp_path_factory.mktemp("dinotxt")
    vision = {
        f"block_list.{n}.{name}": shape
        for n in range(2)
        for name, shape in block_shapes(ARCH.width, HIDDEN).items()
    }
    vision |= {f"ln_final.{of}": (ARCH.width,) for of in ("weight", "bias")}
    text = {
        f"backbone.blocks.{n}.{name}": shape
        for n in range(TEXT_DEPTH)
        for name, shape in text_block_shapes(TEXT_WIDTH).items()
    }
    text |= {f"backbone.ln_final.{of}": (TEXT_WIDTH,) for of in ("weight", "bias")}
    text["backbone.token_embedding.weight"] = (VOCABULARY, TEXT_WIDTH)
    text["backbone.positional_embedding"] = (CONTEXT, TEXT_WIDTH)
    text["head.linear_projection.weight"] = (2 * ARCH.width, TEXT_WIDTH)
    paths = Files(
        folder / "small_vision_head.pth",
        folder / "small_text_encoder.pth",
        folder / "vocabulary.txt.gz",
        folder / "backbone.safetensors",
    )
    for path, shapes in ((paths.vision_head, vision), (paths.text_encoder, text)):
        seeded = vit_recipe.seeded_tensors(shapes)
        torch.save({name: torch.from_numpy(one) for name, one in seeded.items()}, path)
    lines = ["#version: 0.2", *(" ".join(pair) for pair in merges), "left over"]
    paths.vocabulary.write_bytes(gzip.compress("\n".join(lines).encode()))
    save_file(random_tensors(ARCH, 0), paths.backbone)
    return paths


@pytest.fixture
def word_head(files: Files, tmp_path: Path) -> Callable[..., Path]:
    """`word_head(backbone="<sha256>", texts=..., **facts)`: a head file of the kind `words`."""

    def written(backbone: str, texts: torch.Tensor, **facts: Any) -> Path:
        path = tmp_path / "words.safetensors"
        labels = [{"id": n, "name": name, "rgb": [n, 9, 99]} for n, name in enumerate(LABELS)]
        known = {"backbone": backbone, "labelset": "words-0", "labels": labels, "logit_scale": 10.0}
        tensors = {f"vision_head.{name}": one for name, one in files.vision.items()}
        write_head(path, "words", tensors | {"texts": texts}, known | facts)
        return path

    return written


@pytest.fixture(scope="session")
def twin_vision() -> Callable[..., torch.Tensor]:
    """Tokens through upstream's VisionHead, float64."""
    return _vision


@pytest.fixture(scope="session")
def twin_text() -> Callable[..., torch.Tensor]:
    """Numbers of pieces through upstream's TextTower, float64."""
    return _text


def _vision(tensors: Mapping[str, torch.Tensor], tokens: torch.Tensor) -> torch.Tensor:
    own = {name: one.double() for name, one in tensors.items()}
    stream = tokens.double()
    for n in range(2):
        at = f"block_list.{n}."
        normed = _norm(own, f"{at}norm1", stream)
        mixed = _attention(own, f"{at}attn", normed, mask=False)
        stream = stream + own[f"{at}ls1.gamma"] * mixed
        normed = _norm(own, f"{at}norm2", stream)
        gate = normed @ own[f"{at}mlp.w1.weight"].T + own[f"{at}mlp.w1.bias"]
        value = normed @ own[f"{at}mlp.w2.weight"].T + own[f"{at}mlp.w2.bias"]
        hidden = gate * torch.sigmoid(gate) * value
        narrow = hidden @ own[f"{at}mlp.w3.weight"].T + own[f"{at}mlp.w3.bias"]
        stream = stream + own[f"{at}ls2.gamma"] * narrow
    return _norm(own, "ln_final", stream)


def _text(tensors: Mapping[str, torch.Tensor], pieces: torch.Tensor) -> torch.Tensor:
    own = {name: one.double() for name, one in tensors.items()}
    places = own["backbone.positional_embedding"][: pieces.shape[1]]
    stream = own["backbone.token_embedding.weight"][pieces] + places
    for n in range(TEXT_DEPTH):
        at = f"backbone.blocks.{n}."
        normed = _norm(own, f"{at}attention_norm", stream)
        stream = stream + _attention(own, f"{at}attention", normed, mask=True)
        normed = _norm(own, f"{at}ffn_norm", stream)
        wide = normed @ own[f"{at}feed_forward.fc1.weight"].T + own[f"{at}feed_forward.fc1.bias"]
        wide = wide * (1 + torch.erf(wide / 2**0.5)) / 2
        stream = stream + wide @ own[f"{at}feed_forward.fc2.weight"].T
        stream = stream + own[f"{at}feed_forward.fc2.bias"]
    projected = _norm(own, "backbone.ln_final", stream) @ own["head.linear_projection.weight"].T
    return projected[torch.arange(len(pieces)), pieces.argmax(dim=1)]


def _norm(own: Mapping[str, torch.Tensor], name: str, tokens: torch.Tensor) -> torch.Tensor:
    even = tokens - tokens.mean(dim=-1, keepdim=True)
    spread = (even.square().mean(dim=-1, keepdim=True) + 1e-5).sqrt()
    return even / spread * own[f"{name}.weight"] + own[f"{name}.bias"]


def _attention(
    own: Mapping[str, torch.Tensor], name: str, tokens: torch.Tensor, *, mask: bool
) -> torch.Tensor:
    batch, count, width = tokens.shape
    heads = width // 64
    parts = tokens @ own[f"{name}.qkv.weight"].T
    query, key, value = parts.view(batch, count, 3, heads, 64).permute(2, 0, 3, 1, 4)
    scores = query @ key.mT / 8
    if mask:
        later = torch.ones(count, count, dtype=torch.bool).triu(1)
        scores = scores.masked_fill(later, -torch.inf)
    mixed = (scores.softmax(dim=-1) @ value).transpose(1, 2).reshape(batch, count, width)
    return mixed @ own[f"{name}.proj.weight"].T + own[f"{name}.proj.bias"]
