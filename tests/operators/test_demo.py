"""The demo file: a backbone and heads go in and come out, bound to each other."""

from __future__ import annotations

import pytest
import torch
from safetensors.torch import save_file

from operators.architectures import architecture
from operators.demo import read_demo, write_demo
from operators.errors import WeightsError
from operators.learn.head_file import write_head

ARCH = architecture("dinov2_vitti14")


@pytest.fixture
def packed(tmp_path):
    save_file({"norm.weight": torch.arange(4.0)}, tmp_path / "backbone.safetensors")
    head = tmp_path / "action.safetensors"
    tensors = {"classifier.weight": torch.ones(2, 4), "classifier.bias": torch.zeros(2)}
    write_head(head, "action", tensors, {"backbone": "0" * 64, "labels": ["a", "b"]})
    path = tmp_path / "demo.safetensors"
    write_demo(path, tmp_path / "backbone.safetensors", [head])
    return path


def test_what_goes_in_comes_out(packed):
    demo = read_demo(packed)

    assert torch.equal(demo.backbone["norm.weight"], torch.arange(4.0))
    assert demo.heads.keys() == {"action"}
    assert torch.equal(demo.heads["action"].tensors["classifier.weight"], torch.ones(2, 4))
    assert demo.heads["action"].facts["labels"] == ["a", "b"]
    assert len(demo.sha256) == 64


def test_the_backbones_hash_is_its_own_whatever_heads_come_with_it(packed, tmp_path):
    alone = tmp_path / "alone.safetensors"
    write_demo(alone, tmp_path / "backbone.safetensors", [])

    assert read_demo(alone).sha256 == read_demo(packed).sha256
    assert read_demo(alone).heads == {}


def test_another_file_is_refused(tmp_path):
    save_file({"norm.weight": torch.zeros(4)}, tmp_path / "other.safetensors")

    with pytest.raises(WeightsError, match="not a file of demo weights"):
        read_demo(tmp_path / "other.safetensors")
    with pytest.raises(WeightsError, match="are missing; install dinostream again"):
        read_demo(tmp_path / "absent.safetensors")
