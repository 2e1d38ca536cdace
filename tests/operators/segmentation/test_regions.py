"""Connected parts against a flood fill."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from operators.segmentation.regions import Region, connected_regions


def flooded(ids: NDArray[np.integer]) -> list[Region]:
    seen: set[tuple[int, int]] = set()
    regions = []
    for start in np.ndindex(*ids.shape):
        if start not in seen:
            cells = _fill(ids, start)
            seen |= cells
            ys, xs = zip(*cells, strict=True)
            box = (min(xs), min(ys), max(xs) + 1, max(ys) + 1)
            regions.append(Region(int(ids[start]), len(cells), box))
    return sorted(regions, key=lambda region: -region.cells)


def _fill(ids: NDArray[np.integer], start: tuple[int, ...]) -> set[tuple[int, int]]:
    cells, todo = set(), [start]
    while todo:
        y, x = todo.pop()
        inside = 0 <= y < ids.shape[0] and 0 <= x < ids.shape[1]
        if inside and (y, x) not in cells and ids[y, x] == ids[start]:
            cells.add((y, x))
            todo += [(y + 1, x), (y - 1, x), (y, x + 1), (y, x - 1)]
    return cells


@pytest.mark.parametrize("classes", [1, 2, 3, 6])
@pytest.mark.parametrize("size_hw", [(1, 1), (1, 9), (9, 1), (2, 2), (7, 11), (16, 16)])
def test_like_a_flood_fill(classes: int, size_hw: tuple[int, int]) -> None:
    draw = np.random.default_rng([classes, *size_hw])
    for _ in range(20):
        ids = draw.integers(0, classes, size_hw).astype(np.uint8)
        want = flooded(ids)
        assert connected_regions(ids) == want
        large = [region for region in want if region.cells >= 3]
        assert connected_regions(ids, least_cells=3) == large


def test_a_spiral_hangs_together() -> None:
    arms = np.indices((31, 31))
    ring = np.minimum(arms, 30 - arms).min(axis=0)
    ids = (ring % 2).astype(np.uint8)
    for turn in range(1, 15, 2):  # a door through every wall, on alternating sides
        ids[15, turn if turn % 4 == 1 else 30 - turn] = 0

    regions = connected_regions(ids)

    assert regions == flooded(ids)
    assert [region.class_id for region in regions].count(0) == 1


def test_corners_do_not_connect() -> None:
    ids = np.eye(2, dtype=np.uint8)
    assert len(connected_regions(ids)) == 4
