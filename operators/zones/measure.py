"""What the maps of a frame say of a zone: shares of its area by class, and metres.

A cell counts by the part of it that lies within the zone. Metres are read off the depth map at the
centre of each of the segmentation's cells.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from operators.places.shapes import Zone

NEAREST = 0.05  # of the area that is nearer than the nearest metre: single cells are often wrong
_MEDIAN = 0.5
_SHARE_DECIMALS = 6
_METRE_DECIMALS = 3


@dataclass(frozen=True, slots=True)
class Metres:
    """Of some area: how near its nearest 5 % begin and its half is; None: unknown."""

    nearest: float | None = None
    median: float | None = None


@dataclass(frozen=True, slots=True)
class Measured:
    """Of one zone in one frame.

    Attributes:
        shares: of the zone's area, by class id, of those that are there.
        metres: of all of it.
        by_class: of each class that is there.
    """

    shares: Mapping[int, float]
    metres: Metres
    by_class: Mapping[int, Metres]

    def metres_of(self, number: int) -> Metres:
        """Of one class."""
        return self.by_class.get(number, Metres())

    def share(self, ids: Sequence[int]) -> float:
        """Of some classes together."""
        return round(sum(self.shares.get(one, 0.0) for one in ids), _SHARE_DECIMALS)

    def nearest_m(self, ids: Sequence[int]) -> float | None:
        """Of some classes, the nearest one's."""
        found = (self.metres_of(one).nearest for one in ids)
        return min((metres for metres in found if metres is not None), default=None)


@dataclass(frozen=True, slots=True)
class Mask:
    """The cells of a zone on a map of one size.

    Attributes:
        map_hw: cells of the map, down and across.
        cells: numbers of those that lie in it, row by row.
        areas: of each, the part of it that does, 0 to 1.
    """

    map_hw: tuple[int, int]
    cells: NDArray[np.intp]
    areas: NDArray[np.float64]

    @classmethod
    def of(cls, zone: Zone, map_hw: tuple[int, int], source_hw: tuple[int, int]) -> Self:
        """
        Raises:
            ValueError: the zone is outside a picture of that size.
        """
        shares = zone.cells(map_hw, source_hw).ravel()
        cells = np.flatnonzero(shares)
        return cls(map_hw, cells, shares[cells])

    def measure(self, classes: NDArray[np.uint8], metres: NDArray[np.float64] | None) -> Measured:
        """
        Args:
            classes: of every cell, `[h, w]`.
            metres: depth, 0 where unknown, at any size; None: there are no metres.
        """
        own = classes.ravel()[self.cells]
        areas = np.bincount(own, weights=self.areas)
        shares = areas / areas.sum()
        there = np.flatnonzero(areas).tolist()
        return Measured(
            {one: round(float(shares[one]), _SHARE_DECIMALS) for one in there},
            *self._metres(own, there, metres),
        )

    def _metres(
        self, own: NDArray[np.uint8], there: Sequence[int], metres: NDArray[np.float64] | None
    ) -> tuple[Metres, Mapping[int, Metres]]:
        if metres is None:
            return Metres(), {}
        depth = metres[self._rows_in(metres.shape), self._columns_in(metres.shape)]
        order = np.argsort(depth, kind="stable")
        order = order[np.count_nonzero(depth == 0) :]
        depth, areas, own = depth[order], self.areas[order], own[order]
        return _metres(depth, areas), _by_class(own, there, depth, areas)

    def _rows_in(self, shape: tuple[int, ...]) -> NDArray[np.intp]:
        height, width = self.map_hw
        return (2 * (self.cells // width) + 1) * shape[0] // (2 * height)

    def _columns_in(self, shape: tuple[int, ...]) -> NDArray[np.intp]:
        width = self.map_hw[1]
        return (2 * (self.cells % width) + 1) * shape[1] // (2 * width)


def _by_class(
    own: NDArray[np.uint8],
    there: Sequence[int],
    depth: NDArray[np.float64],
    areas: NDArray[np.float64],
) -> Mapping[int, Metres]:
    """Of cells in order of their metres, those of each class."""
    order = np.argsort(own, kind="stable")
    own, depth, areas = own[order], depth[order], areas[order]
    starts, ends = (np.searchsorted(own, there, side).tolist() for side in ("left", "right"))
    return {
        one: _metres(depth[start:end], areas[start:end])
        for one, start, end in zip(there, starts, ends, strict=True)
    }


def _metres(depth: NDArray[np.float64], areas: NDArray[np.float64]) -> Metres:
    """Of metres in order, and the area that has each."""
    if not len(depth):
        return Metres()
    reached = areas.cumsum()
    whole = reached[-1]
    places = reached.searchsorted((NEAREST * whole, _MEDIAN * whole))
    nearest, median = (round(one, _METRE_DECIMALS) for one in depth[places].tolist())
    return Metres(nearest, median)
