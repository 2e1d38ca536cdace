"""What is drawn over a picture: zones and lines, in shares of it or in pixels of its source."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, isfinite
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from operators.places.name import refuse_name
from operators.places.polygon import Point, area_shares, refuse_unsound

Unit = Literal["shares", "pixels"]
"""Of coordinates: parts of the picture's width and height, 0 to 1, or pixels of the source."""


@dataclass(frozen=True, slots=True)
class Zone:
    """A polygon that does not cross itself.

    Attributes:
        name: no other zone's or line's of the stream.
        points: its corners (x, y), in the order of its outline.
        unit: of the points; pixels are counted as a box's edges are, 0 to the picture's width.
    """

    name: str
    points: tuple[Point, ...]
    unit: Unit = "shares"

    def __post_init__(self) -> None:
        refuse_name(self.name)
        _refuse_outside(self.points, self.unit)
        refuse_unsound(self.points)

    def outline(self, size_hw: tuple[int, int]) -> tuple[Point, ...]:
        """Its corners in shares of a picture of that size.

        Raises:
            ValueError: one is outside the picture.
        """
        return _in_shares(f"zone {self.name}", self.points, self.unit, size_hw)

    def cells(self, map_hw: tuple[int, int], size_hw: tuple[int, int]) -> NDArray[np.float64]:
        """Which share of every cell's area lies within it.

        Args:
            map_hw: cells down and across.
            size_hw: of the source's picture, pixels.

        Returns:
            `[h, w]`, 0 to 1.

        Raises:
            ValueError: a corner is outside the picture.
        """
        height, width = map_hw
        outline = [(x * width, y * height) for x, y in self.outline(size_hw)]
        return area_shares(outline, map_hw)


@dataclass(frozen=True, slots=True)
class Line:
    """What is crossed, from one point to another.

    Attributes:
        name: no other zone's or line's of the stream.
        points: its two ends (x, y).
        unit: of the points, as of a zone's.
    """

    name: str
    points: tuple[Point, ...]
    unit: Unit = "shares"

    def __post_init__(self) -> None:
        refuse_name(self.name)
        if len(self.points) != 2:
            raise ValueError(f"a line has 2 points, this one has {len(self.points)}")
        _refuse_outside(self.points, self.unit)
        if self.points[0] == self.points[1]:
            raise ValueError(f"has no length: both of its ends are {list(self.points[0])}")

    def ends(self, size_hw: tuple[int, int]) -> tuple[Point, ...]:
        """Its two ends in shares of a picture of that size.

        Raises:
            ValueError: one is outside the picture.
        """
        return _in_shares(f"line {self.name}", self.points, self.unit, size_hw)


def _refuse_outside(points: Sequence[Point], unit: Unit) -> None:
    """What is outside every picture; of pixels the size of one is needed for more."""
    most = 1.0 if unit == "shares" else inf
    for number, point in enumerate(points, 1):
        if not all(isfinite(one) and 0 <= one <= most for one in point):
            wanted = "0 to 1" if unit == "shares" else "pixels from 0 on"
            hint = "; for pixels say unit: pixels" if unit == "shares" else ""
            raise ValueError(
                f"point {number}, {list(point)}, is outside the picture: want {wanted}{hint}"
            )


def _in_shares(
    what: str, points: Sequence[Point], unit: Unit, size_hw: tuple[int, int]
) -> tuple[Point, ...]:
    if unit == "shares":
        return tuple(points)
    height, width = size_hw
    for number, (x, y) in enumerate(points, 1):
        if x > width or y > height:
            raise ValueError(
                f"{what}: point {number}, {[x, y]}, is outside the picture, which is {width} x "
                f"{height} pixels"
            )
    return tuple((x / width, y / height) for x, y in points)
