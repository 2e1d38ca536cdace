"""Masks of the decoder: whose cells they are, what a box does, and heads that have none."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from operators.detect.decoder import Decoder, DecoderShape
from operators.detect.mask_branch import MaskBranch
from operators.frames import CELLS
from operators.learn.detect_head import begun

CPU = torch.device("cpu")
SHAPE = DecoderShape(width=32, heads=2, layers=2, queries=5)
MASKED = replace(SHAPE, mask_width=8)
OLD = {"width": 32, "heads": 2, "layers": 2, "queries": 5}


def seeded(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.fixture
def branch() -> MaskBranch:
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(5)
        return MaskBranch(40, 32, 8).requires_grad_(False)


def test_a_patch_says_what_its_own_cells_hold(branch: MaskBranch) -> None:
    blocks, memory = seeded(1, 3, 5, 40), seeded(1, 15, 32, seed=1)
    cells = branch.painted(blocks, memory)
    assert cells.shape == (1, 3 * CELLS, 5 * CELLS, 8)
    other, elsewhere = blocks.clone(), memory.clone()
    other[0, 1, 2] *= torch.arange(40)
    elsewhere[0, 7] += 1  # the same patch
    for changed in (branch.painted(other, memory), branch.painted(blocks, elsewhere)):
        moved = (cells - changed).abs().amax(dim=-1)[0] > 1e-4
        assert moved[CELLS : 2 * CELLS, 2 * CELLS : 3 * CELLS].all()
        assert int(moved.sum()) == CELLS**2


def test_a_mask_is_a_product_and_how_far_the_box_is(branch: MaskBranch) -> None:
    cells, told = seeded(2, 12, 20, 8), seeded(2, 5, 32, seed=1)
    boxes = torch.tensor([0.2, 0.25, 0.4, 0.5]).expand(2, 5, 4)
    logits = branch(told, boxes, cells)
    assert logits.shape == (2, 5, 12, 20)
    near = logits[1, 3] - torch.einsum("c,hwc->hw", branch.query(told)[1, 3], cells[1])
    elsewhere = branch(seeded(2, 5, 32, seed=2), boxes, cells * 0)
    assert torch.allclose(near, elsewhere[0, 0], atol=1e-5)
    further = branch(told, boxes + torch.tensor([0.1, 0.25, 0.1, 0.25]), cells * 0)
    assert torch.allclose(further[0, 0, 3:, 2:], elsewhere[0, 0, :-3, :-2], atol=1e-5)


def test_what_is_asked_for_alone_is_what_training_sees() -> None:
    decoder = begun(8, 3, MASKED, seed=1).requires_grad_(False)
    blocks = seeded(2, 4, 6, 32)
    proposed, first, last = decoder(blocks)
    where = decoder.whereabouts((4, 6), CPU)
    alone, bare = decoder.last(blocks, where, masks=True), decoder.last(blocks, where)
    assert proposed.masks is bare.masks is None
    assert first.masks.shape == last.masks.shape == (2, 5, 16, 24)
    assert torch.allclose(alone.masks, last.masks, atol=1e-4)
    assert torch.equal(alone.logits, bare.logits)
    assert torch.equal(alone.boxes, bare.boxes)


def test_a_head_of_boxes_is_what_it_was() -> None:
    """The same header and tensors as before there were masks."""
    assert DecoderShape.from_json(OLD) == SHAPE
    assert SHAPE.plain() == OLD
    assert DecoderShape.from_json(MASKED.plain()) == MASKED
    boxes, both = (begun(8, 3, one, seed=4).state_dict() for one in (SHAPE, MASKED))
    assert all(one.shape == both[name].shape for name, one in boxes.items())
    more = set(both) - set(boxes)
    assert {name.split(".")[0] for name in more} == {"told_mask"}
    assert Decoder(8, 3, SHAPE)(seeded(1, 4, 6, 32))[-1].masks is None


@pytest.mark.parametrize(
    ("said", "error"),
    [
        (OLD | {"mask_width": -1}, "want whole numbers from 1, of masks from 0"),
        (OLD | {"mask_width": True}, "of masks from 0"),
        (OLD | {"queries": 0}, "want whole numbers from 1"),
        (OLD | {"more": 1}, "want width, heads, layers, queries, and mask_width of masks"),
        ({"mask_width": 8}, "want width, heads, layers, queries"),
    ],
)
def test_a_header_that_says_something_else_is_refused(said: dict[str, int], error: str) -> None:
    with pytest.raises(ValueError, match=error):
        DecoderShape.from_json(said)
