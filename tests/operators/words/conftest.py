"""Files of a small dino.txt, and what upstream's modules make of them, written out in float64.

The formulas follow upstream's list of modules (dinov2/hub/text/, dinov2/layers/) one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch

from operators.learn.head_file import write_head
from tests.dinotxt_files import TEXT_DEPTH, VOCABULARY, Files, learnt_merges, write_files

LABELS = ("person", "forklift", "empty floor")


@pytest.fixture(scope="session")
def merges() -> list[tuple[str, str]]:
    return learnt_merges(VOCABULARY - 514)


@pytest.fixture(scope="session")
def files(merges: list[tuple[str, str]], tmp_path_factory: pytest.TempPathFactory) -> Files:
    """Written once, by upstream's names."""
    return write_files(tmp_path_factory.mktemp("dinotxt"), merges)


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
