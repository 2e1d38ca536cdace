"""The nearest neighbours of every vector among the others, by cosine: all pairs, in blocks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from operators.groups.grid import Numbers, Tell, Units, blocks, cosines, untold

_ASKED, _AMONG = 1024, 8192  # rows of one block: 67 MB of cosines


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Of some vectors, a line each.

    Attributes:
        rows: int64 `[Q, k]`, the nearest first; of equally near ones the lower row first.
        cosines: float64 `[Q, k]`.
    """

    rows: NDArray[np.int64]
    cosines: Numbers


def nearest_others(units: Units, k: int, *, tell: Tell = untold) -> Neighbours:
    """The k rows nearest to each row, that row aside.

    Args:
        units: `[N, D]`.
        k: 1 to N - 1.
        tell: hears how far it is.

    Raises:
        ValueError: another k.
    """
    if not 1 <= k < len(units):
        raise ValueError(f"want 1 to {len(units) - 1} neighbours among the others, got {k}")
    found = Neighbours(np.empty((len(units), k), np.int64), np.empty((len(units), k)))
    for asked in blocks(len(units), _ASKED):
        near = np.empty((asked.stop - asked.start, 0))
        rows = np.empty(near.shape, np.int64)
        for among in blocks(len(units), _AMONG):
            new = cosines(units[asked], units[among])
            _hide_itself(new, asked, among)
            numbers = np.broadcast_to(np.arange(among.start, among.stop), new.shape)
            near, rows = best(np.hstack((near, new)), np.hstack((rows, numbers)), k)
        found.rows[asked], found.cosines[asked] = rows, near
        tell(asked.stop / len(units))
    return found


def _hide_itself(near: Numbers, asked: slice, among: slice) -> None:
    both = np.arange(max(asked.start, among.start), min(asked.stop, among.stop))
    near[both - asked.start, both - among.start] = -np.inf


def best(near: Numbers, rows: NDArray[np.int64], k: int) -> tuple[Numbers, NDArray[np.int64]]:
    """The k largest cosines of each line and their rows, largest first; of equal ones those that
    stand first."""
    if near.shape[1] > k:
        cut = np.partition(near, -k, axis=1)[:, -k][:, None]
        above, level = near > cut, near == cut
        room = k - above.sum(axis=1, keepdims=True)
        kept = above | (level & (np.cumsum(level, axis=1) <= room))
        near, rows = near[kept].reshape(-1, k), rows[kept].reshape(-1, k)
    order = np.argsort(-near, axis=1, kind="stable")
    return np.take_along_axis(near, order, 1), np.take_along_axis(rows, order, 1)
