"""The vector of a frame: which tokens, in which order, and as upstream's classifiers read them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch

from operators.backbones.architectures import ARCHITECTURES, Architecture
from operators.frames import Features, FrameInfo
from operators.vector.frame_vector import FrameVector


@pytest.fixture
def features(
    features_of: Callable[..., Features], frame: Callable[..., FrameInfo], tiny: Architecture
) -> Features:
    """Of three frames, whose last block after the norm is `cls` and `patches`, as in Backbone."""
    norm = torch.nn.LayerNorm(tiny.width, eps=1e-6).requires_grad_(False)
    norm.weight += torch.linspace(-0.5, 0.5, tiny.width)
    made = features_of([frame(number) for number in range(3)], tiny)
    patches, cls = made.layers[tiny.depth - 1]
    return replace(made, norm=norm, patches=norm(patches), cls=norm(cls))


@pytest.mark.parametrize("row", [0, 2])
def test_tokens_come_oldest_block_first_and_the_mean_patch_last(
    features: Features, tiny: Architecture, row: int
) -> None:
    vector = FrameVector(blocks=4, mean_patch=True)

    (got,) = vector.of(features, slice(row, row + 1))

    normed = [features.normed(block) for block in (8, 9, 10, 11)]
    want = [cls[row] for _, cls in normed] + [normed[-1][0][row].mean(dim=(0, 1))]
    torch.testing.assert_close(got, torch.cat(want))
    assert (got.dtype, got.shape) == (torch.float32, (vector.width(tiny),))


def test_one_block_needs_no_layers(features: Features, tiny: Architecture) -> None:
    bare = replace(features, layers={}, norm=None)
    for vector in (FrameVector(), FrameVector(mean_patch=True)):
        assert vector.layers(tiny) == ()
        assert vector.of(bare, slice(1, 3)).shape == (2, vector.width(tiny))
    assert torch.equal(FrameVector().of(bare, slice(1, 3)), features.cls[1:3])


@pytest.mark.parametrize(
    ("model", "blocks", "layers"),
    [
        ("dinov2_vits14", 4, (8, 9, 10, 11)),
        ("dinov2_vitg14_reg", 4, (36, 37, 38, 39)),
        ("dinov2_vitl14", 2, (22, 23)),
    ],
)
def test_it_asks_for_the_last_blocks(model: str, blocks: int, layers: tuple[int, ...]) -> None:
    assert FrameVector(blocks).layers(ARCHITECTURES[model]) == layers


def test_batch_mates_and_padding_change_no_bit(
    features: Features,
    features_of: Callable[..., Features],
    frame: Callable[..., FrameInfo],
    tiny: Architecture,
) -> None:
    vector = FrameVector(4, True)
    alone = features_of([frame(2)], tiny, batch_size=2)
    patches, cls = alone.layers[tiny.depth - 1]
    assert features.norm is not None
    alone = replace(alone, norm=features.norm, patches=features.norm(patches))
    alone = replace(alone, cls=features.norm(cls))
    assert torch.equal(vector.of(features, slice(2, 3)), vector.of(alone, slice(1)))


def test_half_features_give_a_float32_vector(features: Features) -> None:
    assert features.norm is not None
    half = replace(
        features,
        cls=features.cls.bfloat16(),
        patches=features.patches.bfloat16(),
        layers={b: (p.bfloat16(), c.bfloat16()) for b, (p, c) in features.layers.items()},
        norm=torch.nn.LayerNorm(features.cls.shape[1], dtype=torch.bfloat16),
    )
    with torch.no_grad():
        assert FrameVector(2, True).of(half, slice(1)).dtype == torch.float32


def test_it_goes_through_a_header_and_back() -> None:
    vector = FrameVector(blocks=4, mean_patch=True)
    assert vector.to_json() == {"blocks": 4, "mean_patch": True}
    assert FrameVector.from_json(vector.to_json()) == vector
    assert FrameVector.from_json({}) == FrameVector()


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"blocks": 0}, "blocks must be a whole number from 1, got 0"),
        ({"blocks": "4"}, "blocks must be a whole number from 1, got '4'"),
        ({"mean_patch": 1}, "mean_patch must be true or false, got 1"),
        ({"block": 4}, "a vector has blocks and mean_patch, got block too"),
    ],
)
def test_a_header_that_says_nonsense_is_refused(said: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        FrameVector.from_json(said)


def test_what_the_backbone_does_not_have_is_refused(features: Features, tiny: Architecture) -> None:
    with pytest.raises(ValueError, match="dinov2_vitti14 has 12 blocks, 13 were asked for"):
        FrameVector(13).layers(tiny)
    few = replace(features, layers={11: features.layers[11]})
    for wrong in (few, replace(features, norm=None), replace(features, layers={})):
        with pytest.raises(ValueError, match="want 4 last blocks and the final norm"):
            FrameVector(4).of(wrong, slice(1))


def test_a_register_comes_last_after_the_norm(features: Features, tiny: Architecture) -> None:
    assert features.norm is not None
    own = {block: torch.randn(len(features.cls), 2, tiny.width) for block in (10, 11)}
    marked = replace(features, registers=own)
    vector, arch = FrameVector(register=True), replace(tiny, registers=2)

    got = vector.of(marked, slice(1, 3))

    assert (vector.layers(arch), vector.width(arch)) == ((11,), 2 * tiny.width)
    torch.testing.assert_close(
        got, torch.cat((features.cls[1:3], features.norm(own[11][1:3, 0])), 1)
    )
    assert vector.to_json() == {"blocks": 1, "mean_patch": False, "register": True}
    with pytest.raises(ValueError, match="a vector has blocks and mean_patch, got register too"):
        FrameVector.from_json(vector.to_json())
    with pytest.raises(ValueError, match="dinov2_vitti14 has no registers, one was asked for"):
        vector.layers(tiny)
    for wrong in (features, replace(marked, norm=None)):
        with pytest.raises(ValueError, match="want the last block's registers"):
            vector.of(wrong, slice(1))
