"""Tables of positions: one grid's values spread over the table that every grid reads."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from operators.backbones.architectures import architecture
from operators.backbones.vit import resize_positions
from operators.supervised.positions import KNOTS, smoothed, spread
from operators.weights.demo import read_demo

ARCH = architecture("dinov2_vitti14")
OTHERS = [(8, 14), (14, 8), (8, 19), (16, 28), (37, 37)]


def noise() -> Tensor:
    draw = torch.Generator().manual_seed(0)
    return torch.randn(1, 1 + ARCH.grid**2, 4, generator=draw)


def read(table: Tensor, grid: tuple[int, int]) -> Tensor:
    """`[h, w, D]`."""
    return resize_positions(table, grid, ARCH)[0, 1:].view(*grid, -1)


def steps(table: Tensor, grid: tuple[int, int]) -> float:
    """Mean difference between neighbours, scaled to a frame's sides."""
    sides = (read(table, grid).diff(dim=axis).abs().mean() * grid[axis] for axis in (0, 1))
    return float(sum(sides))


def test_spread_keeps_what_the_knots_read_and_the_class_token():
    table = noise()
    own = spread(table, ARCH)

    assert own.shape == table.shape
    torch.testing.assert_close(read(own, (KNOTS, KNOTS)), read(table, (KNOTS, KNOTS)))
    assert torch.equal(own[:, 0], table[:, 0])


def test_a_smooth_table_stays_and_another_becomes_one():
    own = smoothed(noise(), ARCH)

    torch.testing.assert_close(smoothed(own, ARCH), own)
    torch.testing.assert_close(spread(own, ARCH), own)


def test_what_is_linear_is_read_as_linear_at_any_grid():
    line = torch.arange(ARCH.grid, dtype=torch.float32).repeat(ARCH.grid)[None, :, None]
    table = torch.cat((torch.zeros(1, 1, 1), line), 1)

    torch.testing.assert_close(smoothed(table, ARCH), table, atol=1e-4, rtol=0)


@pytest.mark.parametrize("grid", OTHERS)
def test_what_ships_is_as_smooth_at_every_grid(grid):
    """What shipped once was noise but at the places that 8 x 8 samples: 2.5 to 8 times as rough."""
    table = read_demo().backbone["pos_embed"]

    assert steps(table, grid) < 1.2 * steps(table, (KNOTS, KNOTS))
    torch.testing.assert_close(smoothed(table, ARCH), table, atol=1e-3, rtol=0)
