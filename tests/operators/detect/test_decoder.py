"""The decoder's parts: boxes two ways, what is seen of a box, rounding, and who is asked."""

from __future__ import annotations

import pytest
import torch

from operators.backbones.architectures import ARCHITECTURES
from operators.detect.boxes import centred, corners, generalised_iou
from operators.detect.decoder import (
    Decoder,
    DecoderShape,
    _best,
    decoder_blocks,
    decoder_layout,
)
from operators.detect.layers import Attention, Gaze, Middles, Reach, Relation, rounded

CPU = torch.device("cpu")
SHAPE = DecoderShape(width=32, heads=2, layers=2, queries=5)


def seeded(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.fixture
def decoder() -> Decoder:
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(5)
        return Decoder(8, 3, SHAPE).requires_grad_(False)


def test_boxes_are_the_same_written_two_ways() -> None:
    boxes = torch.tensor([[0.1, 0.2, 0.5, 0.4], [0.0, 0.0, 1.0, 1.0]])
    assert torch.allclose(corners(centred(boxes)), boxes)
    assert centred(boxes)[0].tolist() == pytest.approx([0.3, 0.3, 0.4, 0.2])


def test_the_generalised_overlap_is_less_than_nothing_for_what_lies_apart() -> None:
    one = torch.tensor([0.0, 0.0, 0.2, 0.2])
    beside = torch.tensor([[0.0, 0, 0.2, 0.2], [0.1, 0, 0.3, 0.2], [0.8, 0.8, 1, 1]])
    # Shared 0.02 of 0.06, whose hull is full; 0.08 of a hull of 1.
    assert generalised_iou(one, beside).tolist() == pytest.approx([1, 1 / 3, -0.92])


def test_attention_is_torchs_own(decoder: Decoder) -> None:
    own = Attention(32, 2).requires_grad_(False)
    twin = torch.nn.MultiheadAttention(32, 2, batch_first=True)
    twin.in_proj_weight.data = torch.cat([own.query.weight, own.key.weight, own.value.weight])
    twin.in_proj_bias.data = torch.cat([own.query.bias, own.key.bias, own.value.bias])
    twin.out_proj.load_state_dict(own.out.state_dict())
    queries, memory = seeded(2, 5, 32), seeded(2, 12, 32, seed=1)
    bias = seeded(2, 2, 5, 12, seed=2)
    theirs, looks = twin(
        queries, memory, memory, attn_mask=bias.flatten(0, 1), average_attn_weights=False
    )
    ours, weights = own(queries, memory, memory, bias)
    assert torch.allclose(ours, theirs, atol=1e-5)
    assert torch.allclose(weights, looks, atol=1e-5)


def test_a_box_reaches_its_patches_alike_wherever_it_lies() -> None:
    reach = Reach(2).requires_grad_(False)
    box = torch.tensor([0.1, 0.2, 0.4, 0.5])
    by = torch.tensor([0.2, 0.1, 0.2, 0.1])  # two patches of ten across, one of ten down
    middles = Middles.of((10, 10), CPU)
    first = reach(box[None, None], middles).view(2, 10, 10)
    second = reach((box + by)[None, None], middles).view(2, 10, 10)
    assert torch.allclose(first[:, :-1, :-2], second[:, 1:, 2:], atol=1e-5)
    assert not torch.allclose(first, second, atol=1e-3)


def test_a_gaze_says_how_many_patches_beside_its_box_a_query_looks() -> None:
    gaze = Gaze(2, 1).requires_grad_(False)
    gaze.out.weight.copy_(torch.eye(2))
    gaze.out.bias.zero_()
    weights = torch.zeros(1, 1, 1, 4, 10)
    weights[0, 0, 0, 3, 6] = weights[0, 0, 0, 3, 7] = 0.5
    box = torch.tensor([[[0.5, 0.5, 0.1, 0.1]]])
    seen = gaze(weights.flatten(3), box, Middles.of((4, 10), CPU))
    assert seen.flatten().tolist() == pytest.approx([2, 1.5])


def test_boxes_are_related_by_what_lies_between_them_in_their_own_sizes() -> None:
    relation = Relation(2).requires_grad_(False)
    boxes = torch.tensor([[[0.2, 0.2, 0.1, 0.2], [0.3, 0.2, 0.2, 0.2]]])
    half = relation(boxes / 2)
    assert torch.allclose(relation(boxes), half, atol=1e-5)
    assert not torch.allclose(half[0, :, 0, 1], half[0, :, 1, 0], atol=1e-3)


def test_the_surest_patches_become_queries_and_of_equal_ones_the_first(decoder: Decoder) -> None:
    blocks = seeded(1, 4, 6, 32)
    proposed, *told = decoder(blocks)
    assert (proposed.logits.shape, len(told)) == ((1, 24, 4), 2)
    assert {guess.logits.shape for guess in told} == {(1, 5, 4)}
    nothing = proposed.logits[0].softmax(-1)[:, -1]
    same = torch.zeros(1, 24, 4)
    same[0, [3, 9, 20], 0] = 2
    assert _best(same, 5).tolist() == [[3, 9, 20, 0, 1]]
    assert _best(proposed.logits, 1).item() == int(nothing.argmin())
    few = decoder(seeded(1, 1, 3, 32))
    assert [guess.boxes.shape[1] for guess in few] == [3, 3, 3]


@pytest.mark.parametrize("grid", [(4, 6), (1, 3)])
def test_what_is_asked_for_alone_is_what_training_sees(
    decoder: Decoder, grid: tuple[int, int]
) -> None:
    blocks = seeded(2, *grid, 32)
    whole, alone = decoder(blocks)[-1], decoder.last(blocks, decoder.whereabouts(grid, CPU))
    assert torch.allclose(alone.logits, whole.logits, atol=1e-5)
    assert torch.allclose(alone.boxes, whole.boxes, atol=1e-6)


def test_rounding_changes_wide_products_alone_and_not_the_decoder_itself(decoder: Decoder) -> None:
    blocks = seeded(1, 4, 6, 32)
    before = decoder(blocks)
    with torch.inference_mode():
        exact, half = (rounded(decoder, one)(blocks) for one in (torch.float32, torch.bfloat16))
    after = decoder(blocks)
    assert torch.allclose(exact[0].logits, before[0].logits, atol=1e-5)
    difference = (half[0].logits - before[0].logits).abs().max()
    assert 1e-5 < float(difference) < 0.1
    assert torch.equal(after[-1].boxes, before[-1].boxes)


@pytest.mark.parametrize("name", ["dinov2_vits14", "dinov2_vitl14", "dinov2_vitg14"])
def test_it_reads_quarters_of_every_backbone(name: str) -> None:
    arch = ARCHITECTURES[name]
    blocks = decoder_blocks(arch)
    assert len(blocks) == 3
    assert max(blocks) < arch.depth - 1
    assert decoder_layout(arch, 7, SHAPE)["read.weight"] == (32, 4 * arch.width)
    assert decoder_layout(arch, 7, SHAPE)["told_class.weight"] == (8, 32)
