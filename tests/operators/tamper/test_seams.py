"""The layout that the weights see: likeness of neighbouring patches."""

from __future__ import annotations

import pytest
import torch

from operators.tamper.seams import CELLS, seams


def test_a_seam_lies_where_patches_differ() -> None:
    patches = torch.zeros(1, 2, 4, 3)
    patches[..., :2, 0] = patches[..., 2:, 1] = 1  # two halves, which have nothing in common
    right, below = seams(patches).view(2, 2, 4)
    assert right.tolist() == [[1, 0, 1, 1]] * 2
    assert below.tolist() == [[1, 1, 1, 1]] * 2


@pytest.mark.parametrize("grid", [(1, 1), (1, 5), (8, 14), (16, 28), (37, 66)])
def test_rows_do_not_depend_on_each_other_nor_on_how_long_patches_are(
    grid: tuple[int, int],
) -> None:
    patches = torch.randn(3, *grid, 16, generator=torch.Generator().manual_seed(1))
    found = seams(patches)
    assert found.shape == (3, 2 * min(CELLS, grid[0]) * min(CELLS, grid[1]))
    assert found.dtype == torch.float32
    assert seams(patches.bfloat16()).dtype == torch.float32
    assert torch.equal(seams(patches[1:2])[0], found[1])
    assert torch.allclose(seams(patches * 7), found, atol=1e-6)
