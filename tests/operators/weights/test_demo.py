"""The demo file: a backbone and heads go in and come out, bound to each other."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file, save_file

from operators.backbones.architectures import DEMO_MODEL, architecture
from operators.errors import WeightsError
from operators.learn.head_file import write_head
from operators.registry import build_operator
from operators.weights.demo import add_heads, read_demo, write_demo
from operators.weights.digest import sha256_file
from operators.weights.header import SHIPPED
from operators.weights.load import load_backbone


@pytest.fixture
def backbone(tmp_path):
    path = tmp_path / "backbone.safetensors"
    save_file({"norm.weight": torch.arange(4.0)}, path)
    return path


@pytest.fixture
def head(tmp_path, backbone):
    path = tmp_path / "action.safetensors"
    tensors = {"classifier.weight": torch.ones(2, 4), "classifier.bias": torch.zeros(2)}
    write_head(path, "action", tensors, {"backbone": sha256_file(backbone), "labels": ["a", "b"]})
    return path


@pytest.fixture
def packed(tmp_path, backbone, head):
    path = tmp_path / "demo.safetensors"
    write_demo(path, backbone, [head])
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


def test_a_further_head_leaves_what_is_there_as_it_is(packed, tmp_path):
    before, tensors = read_demo(packed), load_file(packed)
    path = tmp_path / "classify.safetensors"
    further = {"classifier.weight": torch.full((2, 4), 0.5)}
    write_head(path, "classify", further, {"backbone": before.sha256, "labels": ["c", "d"]})
    add_heads(packed, [path])

    after = read_demo(packed)
    assert list(after.heads) == ["action", "classify"]
    assert after.heads["action"].sha256 == before.heads["action"].sha256
    assert after.sha256 == before.sha256
    assert torch.equal(
        after.heads["classify"].tensors["classifier.weight"], torch.full((2, 4), 0.5)
    )
    assert all(torch.equal(load_file(packed)[name], own) for name, own in tensors.items())
    with pytest.raises(WeightsError, match="a second head for classify"):
        add_heads(packed, [path])
    write_head(path, "depth", further, {"backbone": "a" * 64})
    with pytest.raises(WeightsError, match=r"classify\.safetensors: was not trained on sha256"):
        add_heads(packed, [path])


def test_another_file_is_refused(tmp_path):
    save_file({"norm.weight": torch.zeros(4)}, tmp_path / "other.safetensors")

    with pytest.raises(WeightsError, match="not a file of demo weights"):
        read_demo(tmp_path / "other.safetensors")
    with pytest.raises(WeightsError, match="are missing; install dinostream again"):
        read_demo(tmp_path / "absent.safetensors")


def test_a_cut_file_is_refused_by_name(packed):
    packed.write_bytes(packed.read_bytes()[:-8])

    with pytest.raises(WeightsError, match=r"demo\.safetensors: "):
        read_demo(packed)


def test_heads_of_another_backbone_and_second_ones_are_refused(tmp_path, backbone, head):
    path = tmp_path / "demo.safetensors"
    with pytest.raises(WeightsError, match="a second head for action"):
        write_demo(path, backbone, [head, head])
    save_file({"norm.weight": torch.ones(4)}, backbone)
    with pytest.raises(WeightsError, match=r"action\.safetensors: was not trained on"):
        write_demo(path, backbone, [head])
    assert not list(tmp_path.glob("demo.*"))


def test_other_labels_or_thresholds_are_another_head(packed):
    head = read_demo(packed).heads["action"]
    other = replace(head, facts={**head.facts, "labels": ["b", "a"]})

    assert other.sha256 != head.sha256
    assert read_demo(packed).heads["action"].sha256 == head.sha256


def test_what_ships_is_small_and_whole():
    demo = read_demo()

    assert SHIPPED.stat().st_size < 13_500_000
    assert demo.heads.keys() == {"depth", "segmentation", "action", "detect"}
    for tensors in (demo.backbone, *(head.tensors for head in demo.heads.values())):
        assert all(own.isfinite().all() for own in tensors.values())


def test_demo_weights_load_with_their_heads():
    loaded = load_backbone(architecture(DEMO_MODEL), "demo")

    assert not loaded.untrained
    operator = build_operator(
        "depth", {}, architecture=loaded.model.architecture, backbone_sha256=loaded.sha256,
        head="demo",
    )  # fmt: skip
    assert not operator.untrained
