"""What a box holds, less what the whole picture looks like."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from operators.track.looks import looks


def pictures(rows: int, grid: tuple[int, int] = (6, 8), width: int = 16) -> Tensor:
    return torch.randn(rows, *grid, width, generator=torch.Generator().manual_seed(3))


def test_it_is_the_mean_of_the_patches_that_are_covered_less_the_pictures() -> None:
    patches = pictures(1)
    box = torch.tensor([[[0.25 - 0.0625, 1 / 6 - 1 / 24, 0.75 + 0.0625, 5 / 6 + 1 / 24]]])
    core = box.clone()  # 0.8 of its sides: columns 2 to 5 and rows 1.5 to 4.5, as shares
    middle, half = (box[..., 2:] + box[..., :2]) / 2, (box[..., 2:] - box[..., :2]) / 2 * 0.8
    core[..., :2], core[..., 2:] = middle - half, middle + half
    left, top, right, bottom = (core[0, 0] * torch.tensor([8, 6, 8, 6])).tolist()
    weights = torch.zeros(6, 8)
    for y in range(6):
        for x in range(8):
            across = max(0.0, min(x + 1, right) - max(x, left))
            weights[y, x] = across * max(0.0, min(y + 1, bottom) - max(y, top))
    mean = (weights[..., None] * patches[0]).sum(dim=(0, 1)) / weights.sum()
    expected = mean - patches[0].mean(dim=(0, 1))
    (vector,) = looks(box, patches)[0]
    torch.testing.assert_close(vector, expected / expected.norm(), atol=1e-5, rtol=0)


def test_a_box_within_a_patch_and_one_outside_look_like_the_nearest_patch() -> None:
    patches = pictures(1)
    dots = [[0.3, 0.4, 0.3, 0.4], [0.26, 0.34, 0.34, 0.48], [1.1, 1.1, 1.12, 1.13]]
    dot, small, outside = looks(torch.tensor([dots]), patches)[0]
    own = patches[0, 2, 2] - patches[0].mean(dim=(0, 1))
    torch.testing.assert_close(dot, own / own.norm(), atol=1e-5, rtol=0)
    torch.testing.assert_close(small, dot, atol=1e-5, rtol=0)
    own = patches[0, 5, 7] - patches[0].mean(dim=(0, 1))
    torch.testing.assert_close(outside, own / own.norm(), atol=1e-5, rtol=0)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_they_have_length_1_and_no_picture_looks_into_another(dtype: torch.dtype) -> None:
    patches, corner = pictures(3).to(dtype), torch.rand(3, 5, 2)
    boxes = torch.cat([corner, corner + 0.3], dim=2)
    every = looks(boxes, patches)
    assert (every.dtype, tuple(every.shape)) == (torch.float32, (3, 5, 16))
    torch.testing.assert_close(every.norm(dim=2), torch.ones(3, 5))
    for row in range(3):
        alone = looks(boxes[row : row + 1], patches[row : row + 1])
        torch.testing.assert_close(alone[0], every[row], atol=1e-6, rtol=0)
