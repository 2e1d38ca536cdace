"""A depth map in a few numbers, for consumers that need no picture.

The published map in -> JSON values out, so that whoever has the map gets the same numbers.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

PERCENTILES = (5, 25, 50, 75, 95)
_GRID = 3
_DECIMALS = 3  # millimetres, where it is metres


def depth_summary(
    steps: NDArray[np.uint16], depthscale: float, *, unit: str | None = "m"
) -> dict[str, Any]:
    """Unit, percentiles and a 3x3 grid of medians.

    Args:
        steps: the map as published, uint16 `[H, W]`, 0 where unknown.
        depthscale: of the unit per step.
        unit: m, or None for relative disparity, which has none.

    Returns:
        `{"unit": "m", "percentiles": {"5": ...}, "grid": [[...]]}` in that unit; a row of the grid
        is a row of the picture; null where nothing is known.
    """
    known = steps[steps > 0]
    cuts = np.percentile(known, PERCENTILES) if known.size else [None] * len(PERCENTILES)
    rows = [_cells(row) for row in _thirds(steps)]
    return {
        "unit": unit,
        "percentiles": {
            str(share): _scaled(value, depthscale)
            for share, value in zip(PERCENTILES, cuts, strict=True)
        },
        "grid": [[_scaled(_median(cell), depthscale) for cell in row] for row in rows],
    }


def _cells(row: NDArray[np.uint16]) -> list[NDArray[np.uint16]]:
    return [cell.T for cell in _thirds(row.T)]


def _thirds(steps: NDArray[np.uint16]) -> list[NDArray[np.uint16]]:
    edges = [len(steps) * third // _GRID for third in range(_GRID + 1)]
    return [steps[low:high] for low, high in pairwise(edges)]


def _median(cell: NDArray[np.uint16]) -> float | None:
    known = cell[cell > 0]
    return float(np.median(known)) if known.size else None


def _scaled(steps: float | None, depthscale: float) -> float | None:
    return None if steps is None else round(float(steps) * depthscale, _DECIMALS)
