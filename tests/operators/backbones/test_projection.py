"""A head's linear layer over blocks side by side, exact or rounded as the backbone is."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from operators.backbones.precision import Precision
from operators.backbones.projection import Projection

BLOCKS, WIDTH, OUT, GRID = 3, 32, 21, (5, 7)


@pytest.fixture
def weight() -> torch.Tensor:
    draw = torch.Generator().manual_seed(0)
    return torch.randn(OUT, BLOCKS * WIDTH, generator=draw) / (BLOCKS * WIDTH) ** 0.5


@pytest.fixture
def blocks() -> list[torch.Tensor]:
    draw = torch.Generator().manual_seed(1)
    return [torch.randn(*GRID, WIDTH, generator=draw) for _ in range(BLOCKS)]


def exact(blocks: list[torch.Tensor], weight: torch.Tensor, bias: torch.Tensor | None):
    return F.linear(torch.cat(blocks, dim=-1).flatten(0, 1), weight, bias)


@pytest.mark.parametrize("bias", [None, torch.linspace(-1, 1, OUT)])
@pytest.mark.parametrize(
    ("precision", "near"), [(None, 1e-5), (Precision.FLOAT32, 1e-5), (Precision.BFLOAT16, 3e-2)]
)
def test_blocks_side_by_side_times_the_weight(weight, blocks, bias, precision, near):
    projection = Projection(weight, bias)
    projection.load(torch.device("cpu"))
    got = projection(blocks, precision)

    assert got.dtype == torch.float32
    torch.testing.assert_close(got, exact(blocks, weight, bias), rtol=near, atol=near)


def test_bfloat16_features_are_read_in_float32_where_nothing_else_is_said(weight, blocks):
    rounded = [block.bfloat16() for block in blocks]
    want = exact([block.float() for block in rounded], weight, None)

    torch.testing.assert_close(Projection(weight)(rounded, None), want, rtol=1e-5, atol=1e-5)


def test_what_is_no_number_stays_none(weight, blocks):
    blocks[1][2, 3, 4] = torch.nan
    for precision in (None, Precision.BFLOAT16):
        rows = Projection(weight)(blocks, precision).isnan().any(dim=1).nonzero().flatten()
        assert rows.tolist() == [2 * GRID[1] + 3]


def test_the_weight_is_left_alone(weight, blocks):
    before = weight.clone()
    Projection(weight)(blocks, Precision.BFLOAT16)

    assert torch.equal(weight, before)
