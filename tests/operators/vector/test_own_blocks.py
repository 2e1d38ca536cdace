"""Blocks of a head's own: they begin where the shared pass is, and batch mates change nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from operators.action.operator import Action, ActionWindows
from operators.backbones.architectures import ARCHITECTURES
from operators.backbones.backbone import Backbone
from operators.errors import UsageError, WeightsError
from operators.frames import FrameBatch
from operators.vector.classes import Classes
from operators.vector.classify import Classify
from operators.vector.frame_scorer import VectorScorer
from operators.vector.frame_vector import FrameVector
from operators.vector.own_blocks import Tail, block_name, tail_layout, tail_start
from operators.vector.vector_head import BIAS, WEIGHT
from operators.weights.head_needs import TAIL_BLOCKS
from operators.weights.heads import Head
from operators.weights.load import load_backbone

ARCH = ARCHITECTURES["dinov2_vitti14"]


@pytest.fixture(scope="module")
def backbone():
    loaded = load_backbone(ARCH, "random")
    built = Backbone(loaded, blocks=range(ARCH.depth), batch_size=4, threads=2)
    yield built
    built.close()


@pytest.fixture
def features(backbone, frame):
    pixels = np.random.default_rng(0).integers(0, 256, (3, 28, 42, 3), dtype=np.uint8)
    return backbone(FrameBatch(tuple(frame(number) for number in range(3)), pixels))


def head_of(backbone: Backbone, blocks: int, change: float = 0.0, **tensors: Any) -> Head:
    """A head whose blocks are the backbone's, each number times 1 + change."""
    own = {
        block_name(number, name): tensor * (1 + change)
        for number in range(ARCH.depth - blocks, ARCH.depth)
        for name, tensor in backbone.loaded.model.blocks[number].state_dict().items()
    }
    facts = {TAIL_BLOCKS: blocks} if blocks else {}
    return Head("classify", "own.safetensors", {**own, **tensors}, "0" * 64, facts)


@pytest.mark.slow
@pytest.mark.parametrize("vector", [FrameVector(), FrameVector(4, mean_patch=True)])
@pytest.mark.parametrize("blocks", [0, 1, 5])
def test_the_backbones_own_blocks_see_what_the_backbone_saw(backbone, features, blocks, vector):
    head = head_of(backbone, blocks)
    tail = Tail(head, ARCH, vector)
    kept = {block: features.layers[block] for block in tail.layers}
    got = tail.vectors(replace(features, layers=kept), slice(3))
    torch.testing.assert_close(got, vector.of(features, slice(3)), rtol=1e-4, atol=1e-4)


def test_it_asks_for_what_it_reads(backbone):
    four = FrameVector(4)
    assert Tail(head_of(backbone, 0), ARCH, four).layers == (8, 9, 10, 11)
    assert Tail(head_of(backbone, 1), ARCH, four).layers == (8, 9, 10)
    assert Tail(head_of(backbone, 3), ARCH, four).layers == (8,)
    assert Tail(head_of(backbone, 6), ARCH, four).layers == (5,)
    assert Tail(head_of(backbone, 1), ARCH, FrameVector()).layers == (10,)


def test_other_blocks_see_something_else_and_batch_mates_change_nothing(backbone, features):
    vector = FrameVector(mean_patch=True)
    tail = Tail(head_of(backbone, 2, change=0.05), ARCH, vector)
    alone = [tail.vectors(features, slice(row, row + 1)) for row in range(3)]
    assert (alone[0] - vector.of(features, slice(1))).abs().max() > 1e-3
    turned = features.take([2, 0, 1])
    for row, before in enumerate((2, 0, 1)):
        assert torch.equal(tail.vectors(turned, slice(row, row + 1)), alone[before])


def test_operators_read_through_the_heads_blocks(backbone, features):
    weight, bias = torch.randn(3, ARCH.width, generator=torch.Generator().manual_seed(0)), [0.0] * 3
    linear = {WEIGHT: weight, BIAS: torch.tensor(bias)}
    head = head_of(backbone, 1, change=0.05, **linear)
    classes, vector = Classes(("a", "b", "c")), FrameVector()
    (own,) = Tail(head, ARCH, vector).vectors(features, slice(1, 2))
    classify = Classify(head, VectorScorer(head, ARCH, 3, vector), classes)
    classify.load(torch.device("cpu"), torch.float32)
    assert classify.layers == (10,)
    torch.testing.assert_close(classify.logits(features, slice(1, 2))[0], weight @ own)
    windows = ActionWindows(frames=2, stride=1)
    action = Action(replace(head, operator="action"), ARCH, classes, windows)
    action.load(torch.device("cpu"), torch.float32)
    assert action.layers == (10,)
    (read,) = action.compute(features, slice(1, 2))
    torch.testing.assert_close(read[0], own, rtol=0, atol=0)


def test_what_cannot_be_a_tail_is_refused(backbone):
    for blocks in (0, 12, 1.0, True, "1"):
        with pytest.raises(UsageError, match="fine-tune the last 1 to 11 of them, got"):
            tail_start(ARCH, blocks)
    with pytest.raises(UsageError, match=r"_reg has registers.*take a DINOv2 without them,"):
        tail_start(ARCHITECTURES["dinov2_vits14_reg"], 1)
    head = head_of(backbone, 1)
    with pytest.raises(WeightsError, match=r"header says tail_blocks: .*got 99"):
        tail_layout(replace(head, facts={TAIL_BLOCKS: 99}), ARCH)
    linear = {WEIGHT: torch.zeros(2, ARCH.width), BIAS: torch.zeros(2)}
    lacking = {k: v for k, v in head.tensors.items() if k != "blocks.11.mlp.fc1.bias"} | linear
    with pytest.raises(WeightsError, match=r"blocks\.11\.mlp\.fc1\.bias"):
        VectorScorer(replace(head, tensors=lacking), ARCH, 2, FrameVector())
