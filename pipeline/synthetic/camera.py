"""A pinhole camera: where it stands and looks -> rays through pixel positions.

Camera axes as in OpenCV: x right, y down, z along the optical axis. Pixel (0, 0) covers the square
from 0 to 1, so its centre is at (0.5, 0.5). Knows nothing of what is in the scene.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from .rays import FloatArray, Rays
from .vector import UP, Vec3, cross, dot, minus, unit

# The longer side of the picture sees 2 * atan(0.5 / 0.78) = 65 degrees, much like a phone's.
FOCAL_PER_LONG_SIDE = 0.78


@dataclass(frozen=True, slots=True)
class Camera:
    """A camera's position and unit axes in the world, its picture size, and its lens.

    `focal_per_long_side`: the focal length in lengths of the picture's longer side.
    """

    position: Vec3
    right: Vec3
    down: Vec3
    forward: Vec3
    size_hw: tuple[int, int]
    focal_per_long_side: float = FOCAL_PER_LONG_SIDE

    @classmethod
    def look_at(cls, position: Vec3, target: Vec3, size_hw: tuple[int, int]) -> Camera:
        """Return an upright camera at `position` whose optical axis goes through `target`."""
        forward = unit(minus(target, position))
        right = unit(cross(forward, UP))
        return cls(position, right, cross(forward, right), forward, size_hw)

    @property
    def focal_px(self) -> float:
        """The focal length in pixels, the same for both axes."""
        return self.focal_per_long_side * max(self.size_hw)

    def rays(self, x_px: FloatArray, y_px: FloatArray) -> Rays:
        """Return the rays through picture positions.

        Args:
            x_px: float32 columns, [1, W] for a grid or [N] for single positions.
            y_px: float32 rows, [H, 1] or [N], broadcastable with `x_px`.

        Returns:
            Rays of the broadcast shape, directions of length 1 along the optical axis.
        """
        x = (x_px - 0.5 * self.size_hw[1]) * (1.0 / self.focal_px)
        y = (y_px - 0.5 * self.size_hw[0]) * (1.0 / self.focal_px)
        dx, dy, dz = ((x * self.right[i] + self.forward[i]) + y * self.down[i] for i in range(3))
        return Rays(self.position, dx, dy, dz)

    def project(self, point: Vec3) -> tuple[float, float, float]:
        """Return the column and row of a point's picture, pixels, and its z-depth, metres.

        The point must not lie in the camera's plane; behind it the depth is negative.
        """
        way = minus(point, self.position)
        depth = dot(way, self.forward)
        scale = self.focal_px / depth
        return (
            0.5 * self.size_hw[1] + scale * dot(way, self.right),
            0.5 * self.size_hw[0] + scale * dot(way, self.down),
            depth,
        )

    def window(self, centre: Vec3, radius: float) -> tuple[slice, slice] | None:
        """Return the (rows, columns) that a ball may touch; None when it is out of the picture.

        The bounds are the ball's tangent planes through the camera, widened to whole pixels.
        """
        to_centre = minus(centre, self.position)
        depth = dot(to_centre, self.forward)
        if depth <= -radius:
            return None
        if depth <= 1.01 * radius:
            return slice(0, self.size_hw[0]), slice(0, self.size_hw[1])
        rows = self._span(dot(to_centre, self.down), depth, radius, side=0)
        cols = self._span(dot(to_centre, self.right), depth, radius, side=1)
        return None if rows is None or cols is None else (rows, cols)

    def hull_window(self, corners: Sequence[Vec3]) -> tuple[slice, slice] | None:
        """Return the (rows, columns) around corners' pictures; all must be in front of the camera.

        None when that is out of the picture.
        """
        ways = [minus(corner, self.position) for corner in corners]
        depths = [dot(way, self.forward) for way in ways]
        spans = []
        for side, axis in enumerate((self.down, self.right)):
            seen = [dot(way, axis) / depth for way, depth in zip(ways, depths, strict=True)]
            centre_px = 0.5 * self.size_hw[side]
            first = max(math.floor(centre_px + self.focal_px * min(seen)) - 1, 0)
            last = min(math.ceil(centre_px + self.focal_px * max(seen)) + 1, self.size_hw[side])
            spans.append(slice(first, last))
        return (spans[0], spans[1]) if all(s.start < s.stop for s in spans) else None

    def ahead(self, points: Sequence[Vec3], least_m: float) -> bool:
        """Return whether all points are at least so far in front of the camera."""
        return all(dot(minus(p, self.position), self.forward) >= least_m for p in points)

    def _span(self, offset: float, depth: float, radius: float, *, side: int) -> slice | None:
        room = math.sqrt(offset * offset + depth * depth - radius * radius)
        scale = self.focal_px / (depth * depth - radius * radius)
        centre_px = 0.5 * self.size_hw[side]
        first = math.floor(centre_px + scale * (offset * depth - radius * room)) - 1
        last = math.ceil(centre_px + scale * (offset * depth + radius * room)) + 1
        first, last = max(first, 0), min(last, self.size_hw[side])
        return slice(first, last) if first < last else None
