"""Boxes around masks, held to masks that are drawn large."""

from __future__ import annotations

import pytest
import torch
from torch.nn.functional import interpolate

from operators.detect.mask_boxes import boxes_of, mean_inside

FINER = 64


def blobs(count: int, size_hw: tuple[int, int], seed: int) -> torch.Tensor:
    """Smooth logits, some of them cut by the edges."""
    draw = torch.Generator().manual_seed(seed)
    coarse = torch.randn(count, 1, 4, 5, generator=draw) - 0.4
    return interpolate(coarse, size=size_hw, mode="bicubic")[:, 0]


def by_drawing(logits: torch.Tensor) -> torch.Tensor:
    size = [FINER * side for side in logits.shape[1:]]
    inside = interpolate(logits[:, None], size=size, mode="bilinear")[:, 0] > 0
    boxes = []
    for one in inside:
        rows, columns = one.any(1).nonzero().flatten(), one.any(0).nonzero().flatten()
        height, width = one.shape
        box = (columns[0] / width, rows[0] / height)
        boxes.append((*box, (columns[-1] + 1) / width, (rows[-1] + 1) / height))
    return torch.tensor(boxes)


@pytest.mark.parametrize("seed", range(3))
def test_an_edge_is_where_the_drawn_mask_ends(seed: int) -> None:
    logits = blobs(12, (9, 13), seed)
    some = logits[(logits > 0).any(-1).any(-1)]
    assert len(some) > 6
    torch.testing.assert_close(boxes_of(some), by_drawing(some), rtol=0, atol=1.5 / FINER / 9)


def test_a_mask_that_fills_the_picture_has_its_box_and_an_empty_one_none() -> None:
    full, empty = torch.full((4, 6), 2.0), torch.full((4, 6), -2.0)
    assert boxes_of(torch.stack([full, empty])).tolist() == [[0, 0, 1, 1], [0, 0, 0, 0]]
    sure = mean_inside(torch.stack([full, empty]))
    assert sure.tolist() == pytest.approx([torch.sigmoid(full[0, 0]).item(), 0], abs=1e-6)


def test_one_cell_reaches_half_way_to_its_neighbours() -> None:
    logits = torch.full((5, 5), -1.0)
    logits[2, 3] = 1
    assert boxes_of(logits).tolist() == pytest.approx([3 / 5, 2 / 5, 4 / 5, 3 / 5])
    logits[2, 3] = 3  # three quarters of the way
    assert boxes_of(logits)[0].item() == pytest.approx((3.5 - 0.75) / 5)


def test_masks_do_not_touch_each_other() -> None:
    logits = blobs(8, (8, 12), 5)
    together = boxes_of(logits)
    alone = torch.stack([boxes_of(one) for one in logits])
    assert torch.equal(together, alone)
