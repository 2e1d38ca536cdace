"""A table of positions that every grid of patches reads sensibly.

A backbone that is trained on few grids teaches only the places of the stored table that these
sample; another grid reads what lies between, which is noise. So a table is held to splines through
KNOTS x KNOTS values: what one grid learns, all have learnt.
"""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor

from operators.backbones.architectures import Architecture
from operators.backbones.vit import resize_positions

KNOTS = 8  # a side, as many as the smallest grid has that is trained on


def smoothed(table: Tensor, arch: Architecture) -> Tensor:
    """The nearest table that is smooth.

    Args:
        table: class position and the stored grid, `[1, 1 + grid*grid, D]`.
        arch: whose grid it is.

    Returns:
        The same shape and dtype; a table that is smooth comes back as it is, but for rounding.
    """
    basis = _basis(arch)
    return _with_knots(table, torch.linalg.pinv(basis), basis, arch)


def spread(table: Tensor, arch: Architecture) -> Tensor:
    """The smooth table that reads the same on a grid of KNOTS x KNOTS patches.

    Args:
        table: class position and the stored grid, `[1, 1 + grid*grid, D]`.
        arch: whose grid it is.
    """
    return _with_knots(table, _reading(arch), _basis(arch), arch)


def _with_knots(table: Tensor, read: Tensor, basis: Tensor, arch: Architecture) -> Tensor:
    """Values at knots are read off the grid, rows and columns alike, and spread over it."""
    own, width = basis @ read, table.shape[2]
    grid = table[0, 1:].double().view(arch.grid, arch.grid, width)
    smooth = torch.einsum("ij,jkd,lk->ild", own, grid, own)
    return torch.cat((table[:, :1], smooth.reshape(1, -1, width).to(table.dtype)), 1)


@cache
def _reading(arch: Architecture) -> Tensor:
    """How KNOTS patches in a row read a line of the table, float64 `[KNOTS, grid]`."""
    # A line is an image that is the same in every row, so the other axis' weights, whose sum is 1,
    # fall out.
    lines = torch.eye(arch.grid).repeat(arch.grid, 1)[None]
    table = torch.cat((lines[:, :1], lines), 1)
    read = resize_positions(table, (KNOTS, KNOTS), arch)[0, 1:]
    return read.view(KNOTS, KNOTS, arch.grid)[0].double()


@cache
def _basis(arch: Architecture) -> Tensor:
    """Of all lines that KNOTS patches read as given, the least bent: float64 `[grid, KNOTS]`."""
    side, reading = arch.grid, _reading(arch)
    bend = torch.eye(side, dtype=torch.float64).diff(n=2, dim=0)
    # Lagrange: the bend is least, and what is read is as given.
    corner = torch.zeros(KNOTS, KNOTS, dtype=torch.float64)
    left = torch.cat((torch.cat((bend.T @ bend, reading.T), 1), torch.cat((reading, corner), 1)))
    right = torch.cat((torch.zeros(side, KNOTS, dtype=torch.float64), torch.eye(KNOTS).double()))
    basis: Tensor = torch.linalg.solve(left, right)[:side]
    return basis
