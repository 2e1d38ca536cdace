"""A window's hole in a side wall: where it is, and the sunlight it lets onto the floor."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .light import Light
from .panel import Frame
from .rays import FloatArray
from .sheet import Sheet, soft_step

_SUN_POWER = 1.1
# The pane's frame and the half width of its cross, as `fittings.window` draws them.
_FRAME_M, _BAR_M = 0.07, 0.03
_PENUMBRA_M = 0.05


@dataclass(frozen=True, slots=True)
class Opening:
    """A rectangle in a wall, metres from the wall frame's left edge and from the floor."""

    wall: Frame
    left_m: float
    sill_m: float
    width_m: float
    height_m: float

    def sunlight(self, floor: Frame, sheet: Sheet, light: Light) -> FloatArray:
        """Return the sun's linear light on the floor's texels, float32 [H, W].

        Each texel looks along `light.daylight` at the wall (x = constant), and sees the sky
        through the opening or does not.
        """
        x = sheet.u * floor.right[0] + floor.corner[0]
        y = sheet.v * floor.down[1] + floor.corner[1]
        sun_x, sun_y, sun_z = light.daylight
        way = (self.wall.corner[0] - x) * (1.0 / sun_x)
        rightward = 1.0 if self.wall.right[1] > 0.0 else -1.0
        across = (y + way * sun_y - self.wall.corner[1]) * rightward
        open_x = _pane(across - self.left_m, self.width_m)
        open_z = _pane(way * sun_z - self.sill_m, self.height_m)
        return open_x * open_z * (_SUN_POWER * sun_z)


def _pane(position_m: FloatArray, span_m: float) -> FloatArray:
    """1 on glass, 0 on the frame, the middle bar and outside."""
    off_m = np.abs(position_m - 0.5 * span_m)
    inside = soft_step(0.5 * span_m - _FRAME_M - off_m, _PENUMBRA_M)
    return inside * soft_step(off_m - _BAR_M, _PENUMBRA_M)
