"""Polygons: whether one is sound, and how much of every cell of a map lies within it.

Points are (x, y), x to the right and y down, in any unit; the last one is joined to the first.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

Point = tuple[float, float]
Side = tuple[Point, Point]

MOST_POINTS = 100
_DECIMALS = 9  # of shares: what rounding leaves of cells outside is nothing


def refuse_unsound(points: Sequence[Point]) -> None:
    """
    Raises:
        ValueError: too few or too many points, one twice in a row, sides that meet, or no area.
    """
    if not 3 <= len(points) <= MOST_POINTS:
        raise ValueError(f"a polygon has 3 to {MOST_POINTS} points, this one has {len(points)}")
    sides = [(one, points[(number + 1) % len(points)]) for number, one in enumerate(points)]
    for number, (one, other) in enumerate(sides):
        if one == other:
            raise ValueError(
                f"points {_side(number, len(points))} are the same, {list(one)}; leave one out: "
                "the last point is joined to the first by itself"
            )
    if not any(_turn(*sides[0], point) for point in points):
        raise ValueError("has no area: all of its points lie on one line")
    for first, second in combinations(range(len(sides)), 2):
        neighbours = second - first in (1, len(points) - 1)
        if _meet(sides[first], sides[second], neighbours=neighbours):
            raise ValueError(
                f"crosses itself: the side between points {_side(first, len(points))} meets that "
                f"between points {_side(second, len(points))}; draw it as two zones, or give its "
                "points in the order of its outline"
            )


def area_shares(points: Sequence[Point], size_hw: tuple[int, int]) -> NDArray[np.float64]:
    """The share of every cell's area that lies within a sound polygon, exact to 9 decimals.

    Every side adds, to each cell of the rows that it passes, the part of the cell on its right;
    sides that go up take away what sides that go down have added.

    Args:
        points: in cells; 0, 0 is the upper left corner of the first one.
        size_hw: rows and columns of the map.

    Returns:
        `[h, w]`, 0 to 1.
    """
    rows, columns = np.arange(size_hw[0]), np.arange(size_hw[1] + 1)
    shares = np.zeros(size_hw)
    for (x0, y0), (x1, y1) in zip(points, [*points[1:], points[0]], strict=True):
        if y0 == y1:
            continue
        top = np.clip(min(y0, y1), rows, rows + 1)
        bottom = np.clip(max(y0, y1), rows, rows + 1)
        ends = [x0 + (y - y0) * (x1 - x0) / (y1 - y0) for y in (top, bottom)]
        to_the_left = _mean_excess(columns, np.minimum(*ends), np.maximum(*ends))
        sign = 1 if y1 > y0 else -1
        shares += sign * (bottom - top)[:, None] * np.diff(to_the_left)
    return np.abs(shares.round(_DECIMALS))


def _mean_excess(
    columns: NDArray[np.int_], low: NDArray[np.float64], high: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Mean of max(column - x, 0) where x goes evenly from `low` to `high`, `[rows, columns]`."""
    low, high = low[:, None], high[:, None]
    within = np.clip(columns, low, high) - low
    span = np.where(high > low, high - low, 1)  # of a side straight down nothing is within
    mean: NDArray[np.float64] = within**2 / (2 * span) + np.maximum(columns - high, 0)
    return mean


def _side(number: int, sides: int) -> str:
    return f"{number + 1} and {(number + 1) % sides + 1}"


def _turn(start: Point, end: Point, point: Point) -> float:
    """Above 0 on one side of the way from start to end, below 0 on the other, 0 on its line."""
    return (end[0] - start[0]) * (point[1] - start[1]) - (end[1] - start[1]) * (point[0] - start[0])


def _meet(one: Side, other: Side, *, neighbours: bool) -> bool:
    """Whether two sides have more in common than neighbours have: their corner."""
    if neighbours:
        (corner,) = {*one} & {*other}
        (a,), (b,) = {*one} - {corner}, {*other} - {corner}
        ahead = (a[0] - corner[0]) * (b[0] - corner[0]) + (a[1] - corner[1]) * (b[1] - corner[1])
        return _turn(corner, a, b) == 0 and ahead > 0
    return _parts(one, other) and _parts(other, one)


def _parts(line: Side, side: Side) -> bool:
    """Whether the ends of a side lie on two sides of a line's, or on it and within reach."""
    a, b = (_turn(*line, end) for end in side)
    if a or b:
        return a * b <= 0
    return all(  # all four lie on one line
        min(line[0][axis], line[1][axis]) <= max(side[0][axis], side[1][axis])
        and min(side[0][axis], side[1][axis]) <= max(line[0][axis], line[1][axis])
        for axis in (0, 1)
    )
