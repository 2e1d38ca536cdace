"""Ranges of layers' inputs: what drawn frames reach, a little rounded up, whoever measures."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from operators.backbones.architectures import Architecture
from operators.backbones.engines.drawn_frames import drawn_frames
from operators.backbones.engines.folded import FoldedVit
from operators.backbones.engines.ranges import digest, measured_ranges
from operators.weights.load import load_backbone

ARCH = Architecture("two_blocks", width=64, depth=2, heads=1)


def folded(seed: int = 0) -> FoldedVit:
    return FoldedVit(load_backbone(ARCH, "random", seed=seed).model)


def test_every_layer_of_the_blocks_has_the_range_that_it_saw():
    vit = folded()
    reached = []
    layer = vit.get_submodule("blocks.0.attn.qkv")
    hook = layer.register_forward_pre_hook(lambda _, inputs: reached.append(inputs[0].abs().max()))
    ranges = measured_ranges(vit, threads=1)
    hook.remove()

    parts = ("attn.qkv", "attn.proj", "mlp.fc1", "mlp.fc2")
    assert set(ranges) == {f"blocks.{block}.{part}" for block in range(2) for part in parts}
    assert max(reached) <= ranges["blocks.0.attn.qkv"] <= 1.0626 * max(reached)
    assert len(reached) == 8
    assert not layer._forward_pre_hooks


@pytest.mark.slow
def test_threads_change_nothing_and_weights_do():
    ranges = measured_ranges(folded(), threads=1)

    assert measured_ranges(folded(), threads=3) == ranges
    assert digest(ranges) == digest(dict(reversed(ranges.items())))
    assert digest(measured_ranges(folded(1), threads=1)) != digest(ranges)
    assert digest({**ranges, "blocks.1.mlp.fc2": 7.0}) != digest(ranges)


def test_a_layer_that_sees_nothing_or_no_numbers_has_a_range():
    silent = folded()
    silent.blocks[0].norm1.weight.zero_()
    silent.blocks[1].norm1.bias.fill_(torch.nan)
    ranges = measured_ranges(silent, threads=1)

    assert ranges["blocks.0.attn.qkv"] == ranges["blocks.1.attn.qkv"] == 1.0


def test_drawn_frames_depend_on_the_seed_alone_and_use_what_bytes_can_say():
    frames = drawn_frames(3, 4, 56)

    assert frames.shape == (4, 56, 56, 3)
    assert frames.dtype == np.uint8
    assert np.array_equal(frames[:2], drawn_frames(3, 2, 56))
    assert not np.array_equal(frames, drawn_frames(4, 4, 56))
    assert np.ptp(frames) > 200
    assert len({picture.tobytes() for picture in frames}) == 4
