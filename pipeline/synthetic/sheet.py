"""A canvas with a size in metres, on which textures are drawn: positions in metres -> colours.

Colours are display values 0..1, float32 [H, W, 3]; rows go down, columns to the right.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .rays import FloatArray

Tint = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Region:
    """A rectangle of a sheet, snapped to whole texels."""

    rows: slice
    cols: slice


@dataclass(frozen=True, slots=True)
class Sheet:
    """A drawing of `height_m` x `width_m`; its texels `rgb` are drawn on in place."""

    width_m: float
    height_m: float
    rgb: FloatArray

    @classmethod
    def blank(cls, width_m: float, height_m: float, size_hw: tuple[int, int]) -> Sheet:
        """Return a black sheet of so many texels."""
        planes = np.zeros((3, *size_hw), np.float32)  # drawn on one after the other: each dense
        return cls(width_m, height_m, planes.transpose(1, 2, 0))

    @property
    def size_hw(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.rgb.shape[0], self.rgb.shape[1]

    @property
    def u(self) -> FloatArray:
        """Texel centres, 0..1 from the left edge to the right one, float32 [1, W]."""
        return (np.arange(self.size_hw[1], dtype=np.float32)[None, :] + 0.5) / self.size_hw[1]

    @property
    def v(self) -> FloatArray:
        """Texel centres, 0..1 from the top edge to the bottom one, float32 [H, 1]."""
        return (np.arange(self.size_hw[0], dtype=np.float32)[:, None] + 0.5) / self.size_hw[0]

    @property
    def x_m(self) -> FloatArray:
        """Distances of texel centres from the left edge, float32 [1, W]."""
        return self.u * self.width_m

    @property
    def y_m(self) -> FloatArray:
        """Distances of texel centres from the top edge, float32 [H, 1]."""
        return self.v * self.height_m

    def region(self, x_m: float, y_m: float, width_m: float, height_m: float) -> Region:
        """Return the rectangle whose top left corner is at (x_m, y_m), cut to the sheet."""
        rows, cols = self.size_hw
        per_x, per_y = cols / self.width_m, rows / self.height_m
        return Region(
            slice(max(round(y_m * per_y), 0), min(round((y_m + height_m) * per_y), rows)),
            slice(max(round(x_m * per_x), 0), min(round((x_m + width_m) * per_x), cols)),
        )

    def part(self, region: Region) -> Sheet:
        """Return a region as a sheet of its own; drawing on it draws here."""
        rows, cols = self.size_hw
        height = region.rows.stop - region.rows.start
        width = region.cols.stop - region.cols.start
        texels = self.rgb[region.rows, region.cols]
        return Sheet(width * self.width_m / cols, height * self.height_m / rows, texels)

    def fill(self, tint: Tint, amount: FloatArray | float = 1.0) -> None:
        """Mix a colour in; `amount` is how much of it, 0..1, broadcastable to [H, W]."""
        for channel, value in enumerate(tint):
            plane = self.rgb[..., channel]
            plane += (value - plane) * amount

    def shade(self, factor: FloatArray | float) -> None:
        """Multiply all channels by a factor broadcastable to [H, W]."""
        for channel in range(3):
            self.rgb[..., channel] *= factor


def soft_step(distance_m: FloatArray, blur_m: float) -> FloatArray:
    """Return 0 below zero, 1 above, with a ramp of `blur_m` between; float32, same shape."""
    ramp: FloatArray = np.clip(distance_m * (1.0 / blur_m) + 0.5, 0.0, 1.0)
    return ramp
