"""The outdoors around a street: a ground plane and the sky behind everything.

What is farther than FAR_M is sky, and the sky's depth is FAR_M: a number, so that no infinity gets
into depth maps. Mask it by its class.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .coat import Coat
from .labels import SKY
from .rays import FloatArray, Hits, Rays
from .sheet import Tint
from .surfaces import Painted

FAR_M = 80.0
GROUND_FACE, SKY_FACE = 0, 1


@dataclass(frozen=True, slots=True)
class Outdoors:
    """The plane z = 0 under the sky."""

    def intersect(self, rays: Rays) -> tuple[FloatArray, NDArray[np.uint8]]:
        """Return t float32 and GROUND_FACE or SKY_FACE, in the rays' shape; origin above 0."""
        with np.errstate(divide="ignore"):
            t = np.float32(-rays.origin[2]) / rays.dz
        sky = (t <= 0.0) | (t >= FAR_M)
        t[sky] = FAR_M
        return t, sky.astype(np.uint8)


@dataclass(frozen=True, slots=True)
class Sky:
    """A sky: the colours (display, 0..255) of zenith, horizon and clouds, and where clouds are."""

    zenith: Tint
    horizon: Tint
    cloud: Tint
    cover: Coat

    def paint(self, hits: Hits) -> Painted:
        """Return the sky's colours; they depend on the direction alone."""
        dx, dy, dz = hits.rays.dx, hits.rays.dy, hits.rays.dz
        steep = np.maximum(dz / np.sqrt(dx * dx + dy * dy + dz * dz), 0.0)
        lift = 1.0 - (1.0 - steep) * (1.0 - steep)
        deck = 0.5 / (steep + 0.12)
        pixel = deck * deck * (1.0 / hits.focal_px**2)
        amount = self.cover.colours(dx * deck, dy * deck, (1.0, 1.0), pixel)[0]
        amount = amount * (1.0 / 255.0) * np.minimum(steep * 6.0, 1.0)
        colours = np.empty((3, hits.t.size), np.float32)
        for channel in range(3):
            low, high = self.horizon[channel], self.zenith[channel]
            clear = lift * (high - low) + low
            colours[channel] = clear + (self.cloud[channel] - clear) * amount
        return Painted(colours, SKY)
