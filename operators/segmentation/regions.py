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
    width = ids.shape[1]
    starts = np.ones(ids.shape, dtype=bool)
    np.not_equal(ids[:, 1:], ids[:, :-1], out=starts[:, 1:])
    first = np.flatnonzero(starts)
    row = first // width
    left = first - row * width
    right = np.append(first[1:], ids.size) - row * width
    # Two runs touch in as many cells as they overlap: the first of these is where either begins.
    touch = np.flatnonzero((ids[1:] == ids[:-1]) & (starts[1:] | starts[:-1]))
    upper, lower = (first.searchsorted(cells, "right") - 1 for cells in (touch, touch + width))
    return _Runs(row, left, right, ids[row, left], upper, lower)


def _roots(runs: _Runs) -> Index:
    """The first run of every run's part: hook neighbours together, shorten the paths, again."""
    root = np.arange(len(runs.row))
    upper, lower = runs.upper, runs.lower
    while (upper != lower).any():
        np.minimum.at(root, np.maximum(upper, lower), np.minimum(upper, lower))
        while ((shorter := root[root]) != root).any():
            root = shorter[shorter]  # two steps, since looking whether it is enough takes as long
        upper, lower = root[runs.upper], root[runs.lower]
    return root


def _boxes(runs: _Runs, root: Index, large: NDArray[np.bool_]) -> Index:
    """Left, top, right, bottom by root, `[runs, 4]`; of large parts only."""
    told = np.flatnonzero(large[root])
    part = root[told]
    left, right, bottom = runs.left.copy(), runs.right.copy(), runs.row + 1
    np.minimum.at(left, part, runs.left[told])
    np.maximum.at(right, part, runs.right[told])
    bottom[part] = bottom[told]  # of several runs the last, which is the lowest; the root is on top
    return np.stack((left, runs.row, right, bottom), axis=1)
