"""Connected parts of a map of class ids.

Ids in -> parts out. Must not know labels, pixels of the source or records.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Index = NDArray[np.intp]


class Region(NamedTuple):
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
    upper: Index  # with `lower`: pairs of one class that overlap in neighbouring rows
    lower: Index


def connected_regions(ids: NDArray[np.integer], *, least_cells: int = 1) -> list[Region]:
    """Connected parts, the largest first, equally large ones from top left on.

    Args:
        ids: class ids `[H, W]`.
        least_cells: smaller parts are left out.
    """
    runs = _runs(ids)
    root = _roots(runs)
    # By their first runs, which are their numbers; a run that is no root's has 0 cells.
    cells = np.bincount(root, weights=runs.right - runs.left, minlength=len(root)).astype(int)
    large = cells >= max(least_cells, 1)
    boxes = _boxes(runs, root, large)
    # They are in order from top left before they are sorted.
    parts = np.flatnonzero(large)
    parts = parts[np.argsort(-cells[parts], kind="stable")]
    # Through lists: numbers are taken out of an array ten times as slowly one by one.
    named = zip(runs.class_id[parts].tolist(), cells[parts].tolist(), strict=True)
    boxed = map(tuple, boxes[parts].tolist())
    return [Region(*own, box) for own, box in zip(named, boxed, strict=True)]


def _runs(ids: NDArray[np.integer]) -> _Runs:
    starts = np.ones(ids.shape, dtype=bool)
    starts[:, 1:] = ids[:, 1:] != ids[:, :-1]
    first = np.flatnonzero(starts)
    row, left = np.divmod(first, ids.shape[1])
    length = np.diff(first, append=ids.size)
    number = np.cumsum(starts).reshape(ids.shape) - 1
    # Two runs touch in as many cells as they overlap: the first of these is where either begins.
    touch = (ids[1:] == ids[:-1]) & (starts[1:] | starts[:-1])
    return _Runs(row, left, left + length, ids[row, left], number[:-1][touch], number[1:][touch])


def _roots(runs: _Runs) -> Index:
    """The first run of every run's part: hook neighbours together, shorten the paths, again."""
    upper, lower = runs.upper, runs.lower
    root = np.arange(len(runs.row))
    while (root[upper] != root[lower]).any():
        smaller = np.minimum(root[upper], root[lower])
        np.minimum.at(root, np.maximum(root[upper], root[lower]), smaller)
        while (root[root] != root).any():
            root = root[root]
    return root


def _boxes(runs: _Runs, root: Index, large: NDArray[np.bool_]) -> Index:
    """Left, top, right, bottom by root, `[runs, 4]`; of large parts only."""
    boxes = np.zeros((len(root), 4), dtype=int)
    boxes[:, :2] = np.iinfo(int).max
    told = np.flatnonzero(large[root])
    part = root[told]
    np.minimum.at(boxes[:, 0], part, runs.left[told])
    np.minimum.at(boxes[:, 1], part, runs.row[told])
    np.maximum.at(boxes[:, 2], part, runs.right[told])
    np.maximum.at(boxes[:, 3], part, runs.row[told] + 1)
    return boxes
