"""Operator zero: shapes, padding, and that batch mates never change a bit."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
import torch

from operators.backbones.architectures import architecture
from operators.backbones.backbone import Backbone
from operators.backbones.engines.choice import Choice
from operators.backbones.precision import Precision
from operators.backbones.preprocess import normalise
from operators.frames import FrameBatch, FrameInfo
from operators.weights.load import load_backbone

ARCH = replace(architecture("dinov2_vitti14"), depth=3)  # deeper shows no more
SIZE_HW = (224, 392)
CHOICES = (
    Choice("torch", torch.float32, ""),
    Choice("torch", torch.bfloat16, ""),
    Choice("openvino", torch.float32, ""),
)


def batch_of(*pictures: np.ndarray) -> FrameBatch:
    infos = tuple(
        FrameInfo("cam1", "s", str(i), i, Fraction(1, 30), i, i, (360, 640))
        for i in range(len(pictures))
    )
    return FrameBatch(infos, np.stack(pictures))


def pictures(count: int, size_hw: tuple[int, int] = SIZE_HW, seed: int = 0) -> list[np.ndarray]:
    draw = np.random.default_rng(seed)
    return list(draw.integers(0, 256, (count, *size_hw, 3), dtype=np.uint8))


def tiny(**options) -> Backbone:
    loaded = load_backbone(ARCH, "random", seed=1)
    return Backbone(loaded, **options)


def rows(features, row: int) -> list[torch.Tensor]:
    layers = [part[row] for pair in features.layers.values() for part in pair]
    return [features.cls[row], features.patches[row], *layers]


@pytest.mark.slow
def test_tensors_always_have_the_batch_size_and_infos_only_the_frames():
    batch = batch_of(*pictures(2))
    features = tiny(blocks=(0, 2), batch_size=3)(batch)

    assert len(features.infos) == 2
    assert features.pixels is batch.pixels
    assert features.cls.shape == (3, 192)
    assert features.patches.shape == (3, 16, 28, 192)
    assert {b: (p.shape, c.shape) for b, (p, c) in features.layers.items()} == {
        0: ((3, 16, 28, 192), (3, 192)),
        2: ((3, 16, 28, 192), (3, 192)),
    }


def test_features_are_the_models_tokens_in_picture_order():
    backbone = tiny(blocks=(2,), batch_size=1)
    (picture,) = pictures(1)

    features = backbone(batch_of(picture))
    pixels = normalise(torch.from_numpy(picture[None]), torch.float32)
    tokens, _ = backbone.loaded.model(pixels)

    torch.testing.assert_close(features.cls[0], tokens[0, 0], rtol=0, atol=1e-5)
    want = tokens[0, 1 + 3 * 28 + 5]
    torch.testing.assert_close(features.patches[0, 3, 5], want, rtol=0, atol=1e-5)
    patches, cls = features.normed(2)
    torch.testing.assert_close(patches, features.patches, rtol=0, atol=1e-6)
    torch.testing.assert_close(cls, features.cls, rtol=0, atol=1e-6)


def test_registers_are_left_out_of_the_patches():
    loaded = load_backbone(replace(ARCH, registers=4), "random")
    (picture,) = pictures(1, (28, 42))

    features = Backbone(loaded, batch_size=1)(batch_of(picture))
    tokens, _ = loaded.model(normalise(torch.from_numpy(picture[None]), torch.float32))

    assert features.patches.shape == (1, 2, 3, 192)
    torch.testing.assert_close(features.patches[0, 0, 0], tokens[0, 5], rtol=0, atol=1e-5)


@pytest.mark.parametrize("choice", CHOICES, ids=lambda choice: f"{choice.name} {choice.dtype}")
def test_registers_of_a_block_stand_beside_it(choice):
    if choice.name == "openvino":
        pytest.importorskip("openvino", reason="the extra cpu is not installed")
    loaded = load_backbone(replace(ARCH, registers=4), "random")
    drawn = pictures(3, (28, 42))
    backbone = Backbone(loaded, blocks=(0, 1), batch_size=4, choice=choice)

    features = backbone(batch_of(*drawn))
    pixels = normalise(torch.from_numpy(np.stack(drawn)), torch.float32)
    _, kept = loaded.model(pixels, (0, 1))

    near = 1e-5 if choice.dtype == torch.float32 else 0.02
    assert features.registers.keys() == {0, 1}
    for block, tokens in features.registers.items():
        assert tokens.shape == (4, 4, 192)
        torch.testing.assert_close(tokens[:3], kept[block][:, 1:5], rtol=0, atol=near)
    seen_again = features.again(2, (2, 3))
    torch.testing.assert_close(seen_again.registers[1][0], kept[1][2, 1:5], rtol=0, atol=1e-5)
    last = features.take([2])
    assert torch.equal(last.registers[1][0], features.registers[1][2])
    assert tiny(blocks=(0,))(batch_of(drawn[0])).registers is None


@pytest.mark.slow
@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("size_hw", [SIZE_HW, (70, 98)])
@pytest.mark.parametrize("choice", CHOICES, ids=lambda choice: f"{choice.name} {choice.dtype}")
def test_a_frame_has_the_same_bits_in_any_slot_with_any_mates_on_any_threads(
    size_hw, threads, choice
):
    if choice.name == "openvino":
        pytest.importorskip("openvino", reason="the extra cpu is not installed")
    (frame,) = pictures(1, size_hw, seed=5)
    alone = tiny(blocks=(1,), batch_size=1, choice=choice)  # one thread, no mates
    want = rows(alone(batch_of(frame)), 0)
    backbone = tiny(blocks=(1,), batch_size=4, threads=threads, choice=choice)

    # Large frames in the first and the last slot alone; small ones in those between too.
    for slot in (0, 3) if size_hw == SIZE_HW else range(4):
        mates = pictures(4, size_hw, seed=slot + 10)
        got = rows(backbone(batch_of(*mates[:slot], frame, *mates[slot + 1 :])), slot)
        assert all(torch.equal(a, b) for a, b in zip(got, want, strict=True)), f"slot {slot}"


def test_torch_stays_on_one_core_for_the_operators_that_come_after(many_cores):
    tiny(batch_size=2)(batch_of(*pictures(2, (14, 14))))

    assert torch.get_num_threads() == 1


@pytest.fixture
def many_cores():
    before = torch.get_num_threads()
    torch.set_num_threads(4)
    yield
    torch.set_num_threads(before)


@pytest.mark.slow
def test_frames_that_cannot_be_written_to_are_fine():
    batch = batch_of(*pictures(2))
    batch.pixels.setflags(write=False)  # as they come out of an object store

    assert tiny(batch_size=2)(batch).cls.isfinite().all()


@pytest.mark.slow
def test_bfloat16_stays_close_to_float32():
    batch = batch_of(*pictures(1))
    exact = tiny(batch_size=1)(batch)
    rounded = tiny(batch_size=1, choice=CHOICES[1])(batch)

    assert rounded.cls.dtype == rounded.patches.dtype == torch.float32
    cosine = torch.nn.functional.cosine_similarity(rounded.cls.float(), exact.cls)
    assert cosine.item() > 0.999


@pytest.mark.slow
@pytest.mark.parametrize("choice", CHOICES[:2])
def test_heads_may_round_as_the_backbone_did(choice):
    features = tiny(batch_size=1, choice=choice)(batch_of(*pictures(1)))
    assert features.precision is Precision.of(choice.dtype)


def test_sides_that_are_no_multiples_of_the_patch_are_refused():
    with pytest.raises(
        ValueError, match="28x30 must be multiples of 14, the patch of dinov2_vitti"
    ):
        tiny(batch_size=1)(batch_of(*pictures(1, (28, 30))))


def test_more_frames_than_the_batch_size_are_refused():
    with pytest.raises(ValueError, match="3 frames in a batch, at most 2 fit"):
        tiny(batch_size=2)(batch_of(*pictures(3, (14, 14))))


@pytest.mark.parametrize(
    "options", [{"batch_size": 0}, {"threads": 0}, {"blocks": (3,)}, {"blocks": (-1,)}]
)
def test_impossible_options_are_refused(options):
    with pytest.raises(ValueError, match=r"must be at least 1, got .* within 0\.\.2"):
        tiny(**options)


def test_a_frame_that_never_has_mates_gets_every_core():
    loaded = load_backbone(ARCH, "random")
    alone, beside, whole = (
        Backbone(loaded, batch_size=size, threads=threads)
        for size, threads in ((1, 1), (2, 3), (1, 3))
    )
    assert alone.identity == beside.identity
    assert whole.identity == alone.identity.replace(", heads", ", on 3 cores, heads")
    assert whole.identity != alone.identity
    for one in (alone, beside, whole):
        one.close()
