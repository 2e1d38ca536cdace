"""The zones of one stream, laid over its maps.

Masks are made when the first map is there, because only then it is known how large it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from operators.places.places import Places
from operators.zones.measure import Mask, Measured
from operators.zones.watched import Watched

_PIXEL_DECIMALS = 1


class Drawn:
    """Of one stream.

    Attributes:
        zones: by their names' order.
        watched: what may stay in them, always in one order.
    """

    def __init__(self, places: Places, watched: Sequence[Watched]) -> None:
        self.zones = places.zones
        self.watched = watched
        self._sizes: tuple[tuple[int, ...], ...] = ()
        self._masks: Mapping[str, Mask] = {}

    def measure(
        self,
        classes: NDArray[np.uint8],
        metres: NDArray[np.float64] | None,
        source_hw: tuple[int, int],
    ) -> dict[str, Measured]:
        """What the maps of a frame say, zone by zone.

        Args:
            classes: of every cell, `[h, w]`.
            metres: depth, 0 where unknown, at any size; None: there are no metres.
            source_hw: of the picture, pixels.

        Raises:
            ValueError: a zone is outside a picture of that size.
        """
        height, width = classes.shape
        if self._sizes != (classes.shape, source_hw):
            masks = {one.name: Mask.of(one, (height, width), source_hw) for one in self.zones}
            self._masks, self._sizes = masks, (classes.shape, source_hw)
        return {name: mask.measure(classes, metres) for name, mask in self._masks.items()}

    def outlines(self, source_hw: tuple[int, int]) -> dict[str, list[list[float]]]:
        """The corners of every zone in pixels of the source.

        Raises:
            ValueError: one is outside a picture of that size.
        """
        height, width = source_hw
        return {
            zone.name: [
                [round(x * width, _PIXEL_DECIMALS), round(y * height, _PIXEL_DECIMALS)]
                for x, y in zone.outline(source_hw)
            ]
            for zone in self.zones
        }
