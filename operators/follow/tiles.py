"""Which patches a patch may take its label from: a circle around its place, tile by tile.

A grid in -> squares of patches, each with the rectangle that holds all their circles, and what of
that lies outside of each. Knows no features.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

SIDE = 8  # patches; measured, see docs/follow.md


@dataclass(frozen=True, slots=True)
class Tile:
    """
    Attributes:
        rows, columns: of the q patches that are asked about.
        down, across: of the k patches that theirs are looked for among.
        outside: bool `[q, k]`: beyond the circle.
    """

    rows: slice
    columns: slice
    down: slice
    across: slice
    outside: Tensor


@lru_cache(maxsize=4)
def tiles(grid_hw: tuple[int, int], radius: int, side: int = SIDE) -> tuple[Tile, ...]:
    """The tiles of a grid, row by row.

    Args:
        grid_hw: patches down and across.
        radius: of the circle, patches; its edge counts.
        side: of a tile, patches.
    """
    height, width = grid_hw
    found = []
    for top in range(0, height, side):
        for left in range(0, width, side):
            rows, down = _span(top, side, radius, height)
            columns, across = _span(left, side, radius, width)
            outside = _beyond(_places(rows, columns), _places(down, across), radius)
            found.append(Tile(rows, columns, down, across, outside))
    return tuple(found)


def _span(begin: int, side: int, radius: int, end: int) -> tuple[slice, slice]:
    stop = min(begin + side, end)
    return slice(begin, stop), slice(max(0, begin - radius), min(end, stop + radius))


def _places(rows: slice, columns: slice) -> Tensor:
    down = torch.arange(rows.start, rows.stop)
    across = torch.arange(columns.start, columns.stop)
    return torch.cartesian_prod(down, across)


def _beyond(asked: Tensor, known: Tensor, radius: int) -> Tensor:
    apart = (asked[:, None] - known[None]).square().sum(dim=2)
    return apart > radius * radius
