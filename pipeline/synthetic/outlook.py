"""A still camera over a yard, and where on the ground it does not look -> gates to come in by."""

from __future__ import annotations

import math
from dataclasses import dataclass

from .camera import Camera
from .dice import Dice
from .vector import Vec3

# How far from the camera's axis the ends of the yard are, metres along y.
NEAR_M, FAR_M = -3.0, 6.5


@dataclass(frozen=True, slots=True)
class Outlook:
    """A camera `height_m` over the ground, `back_m` before the middle of what it sees."""

    height_m: float
    back_m: float
    focal: float

    def camera(self, size_hw: tuple[int, int]) -> Camera:
        """Return the camera for a picture size."""
        aimed = Camera.look_at(self._eye, (0.0, 0.0, 0.0), size_hw)
        return Camera(aimed.position, aimed.right, aimed.down, aimed.forward, size_hw, self.focal)

    def gate(self, dice: Dice, reach_m: float) -> tuple[float, float]:
        """Return a place out of view of any picture size, to the left, to the right or behind."""
        side = dice.pick((-1.0, -1.0, 1.0, 1.0, 0.0))
        if side == 0.0:
            return dice.between(-2.0, 2.0), -self.back_m - reach_m - 0.5
        y = dice.between(NEAR_M, FAR_M)
        return side * (self._side_m(y) + 1.5 * reach_m + 0.3), y

    def _side_m(self, y: float) -> float:
        """How far to either side the ground is seen."""
        far = math.hypot(self.back_m, self.height_m)
        depth_m = ((y + self.back_m) * self.back_m + self.height_m * self.height_m) / far
        return 0.5 * depth_m / self.focal

    @property
    def _eye(self) -> Vec3:
        return (0.0, -self.back_m, self.height_m)
