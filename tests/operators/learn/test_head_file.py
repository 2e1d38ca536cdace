"""A head file is written whole or not at all, and read back by what `--head` uses."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from operators.backbones.architectures import Architecture
from operators.learn.head_file import write_head
from operators.weights.digest import sha256_file
from operators.weights.head_request import HeadRequest
from operators.weights.heads import trained_head

HASH = "a" * 64


def test_it_comes_back(tmp_path: Path, tiny: Architecture) -> None:
    path = tmp_path / "heads" / "waving.safetensors"
    tensors = {"classifier.weight": torch.ones(3, 4).T, "classifier.bias": torch.zeros(4)}
    facts = {"backbone": HASH, "labels": ["wäve", "b", "c", "d"]}
    sha256 = write_head(path, "action", tensors, facts)
    head = trained_head(HeadRequest("action", tiny, HASH, choice=str(path)))
    assert (head.sha256, sha256) == (sha256, sha256_file(path))
    assert head.facts == {"format": 1, "operator": "action", **facts}
    assert torch.equal(head.tensors["classifier.weight"], tensors["classifier.weight"])
    assert write_head(path, "action", tensors, facts) == sha256
    assert list(path.parent.iterdir()) == [path]


def test_what_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    path = tmp_path / "head.safetensors"
    tensors = {"x": torch.zeros(1)}
    for name, facts in (("head.pth", {"backbone": HASH}), (path.name, {"backbone": "short"})):
        with pytest.raises(ValueError, match="a head needs the sha256 of its backbone"):
            write_head(tmp_path / name, "action", tensors, facts)
    with pytest.raises(ValueError, match="Out of range float"):
        write_head(path, "action", tensors, {"backbone": HASH, "metrics": float("nan")})
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"):
        write_head(tmp_path / "file" / path.name, "action", tensors, {"backbone": HASH})
    assert [one.name for one in tmp_path.iterdir()] == ["file"]
