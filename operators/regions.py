"""Connected parts of a map of class ids.

Ids in -> parts out. Must not know labels, pixels of the source or records.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Index = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Region:
    """Cells of one class that hang together, each touching the next with a side.

    Attributes:
        class_id: of all its cells.
        cells: how many they are.
        box: left, top, right, bottom in cells; right and bottom lie just outside.
    """

    class_id: int
    cells: int
    box: tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class _Runs:
    """Longest pieces of a row with one class, row by row: the nodes that are joined up."""

    row: Index
    left: Index
    right: Index
    class_id: NDArray[np.integer]


def connected_regions(ids: NDArray[np.integer], *, least_cells: int = 1) -> list[Region]:
    """Connected parts, the largest first, equally large ones from top left on.

    Args:
        ids: class ids `[H, W]`.
        least_cells: smaller parts are left out.
    """
    runs = _runs(ids)
    roots, part = np.unique(_roots(runs), return_inverse=True)
    cells = np.bincount(part, weights=runs.right - runs.left).astype(int)
    boxes = np.empty((len(roots), 4), dtype=int)
    boxes[:, :2] = np.iinfo(int).max
    boxes[:, 2:] = 0
    np.minimum.at(boxes[:, 0], part, runs.left)
    np.minimum.at(boxes[:, 1], part, runs.row)
    np.maximum.at(boxes[:, 2], part, runs.right)
    np.maximum.at(boxes[:, 3], part, runs.row + 1)
    # A part's root is its first run, so parts are in order from top left before they are sorted.
    order = np.argsort(-cells, kind="stable")
    order = order[cells[order] >= least_cells]
    return [
        Region(int(runs.class_id[roots[i]]), int(cells[i]), _box(boxes[i].tolist())) for i in order
    ]


def _runs(ids: NDArray[np.integer]) -> _Runs:
    starts = np.ones(ids.shape, dtype=bool)
    starts[:, 1:] = ids[:, 1:] != ids[:, :-1]
    row, left = np.nonzero(starts)
    width = ids.shape[1]
    length = np.diff(np.append(row * width + left, ids.size))
    return _Runs(row, left, left + length, ids[row, left])


def _roots(runs: _Runs) -> Index:
    """The first run of every run's part: hook neighbours together, shorten the paths, again."""
    upper, lower = _touching(runs)
    root = np.arange(len(runs.row))
    while (root[upper] != root[lower]).any():
        smaller = np.minimum(root[upper], root[lower])
        np.minimum.at(root, np.maximum(root[upper], root[lower]), smaller)
        while (root[root] != root).any():
            root = root[root]
    return root


def _touching(runs: _Runs) -> tuple[Index, Index]:
    """Pairs of runs of one class that overlap in neighbouring rows."""
    # Numbered along all rows, the runs a run touches below are one unbroken stretch.
    width = int(runs.right.max())
    left, right = runs.row * width + runs.left, runs.row * width + runs.right
    first = np.searchsorted(right, left + width, side="right")
    last = np.searchsorted(left, right + width, side="left")
    count = np.maximum(last - first, 0)
    upper = np.repeat(np.arange(len(left)), count)
    lower = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    lower += np.repeat(first, count)
    same = runs.class_id[upper] == runs.class_id[lower]
    return upper[same], lower[same]


def _box(box: list[int]) -> tuple[int, int, int, int]:
    left, top, right, bottom = box
    return left, top, right, bottom
