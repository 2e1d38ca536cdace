"""A room's face while it is being drawn: materials, then fittings, then light -> a panel."""

from __future__ import annotations

import numpy as np

from .light import Light
from .panel import Frame, Panel, Patch
from .rays import FloatArray
from .sheet import Sheet
from .texture import Texture
from .vector import length


class Canvas:
    """A sheet that hangs in space; what is cut out of it gets a class of its own."""

    __slots__ = ("_class_id", "_frame", "_patches", "sheet")

    def __init__(self, frame: Frame, size_hw: tuple[int, int], class_id: int) -> None:
        self.sheet = Sheet.blank(length(frame.right), length(frame.down), size_hw)
        self._frame = frame
        self._class_id = class_id
        self._patches: list[Patch] = []

    def cut(
        self, class_id: int, corner_m: tuple[float, float], size_m: tuple[float, float]
    ) -> Sheet:
        """Return a rectangle to draw on, its top left corner `corner_m` from the sheet's own."""
        region = self.sheet.region(*corner_m, *size_m)
        rows, cols = self.sheet.size_hw
        left, right = region.cols.start / cols, region.cols.stop / cols
        top, bottom = region.rows.start / rows, region.rows.stop / rows
        self._patches.append(Patch(class_id, left, top, right, bottom))
        return self.sheet.part(region)

    def bake(self, light: Light, sun: FloatArray | float = 0.0) -> None:
        """Light all that has been drawn; what is drawn later shines by itself.

        Args:
            light: the room's light.
            sun: linear light on top of it, broadcastable to the sheet's [H, W].
        """
        sheet, frame = self.sheet, self._frame
        x, y, z = (
            sheet.u * frame.right[i] + frame.corner[i] + sheet.v * frame.down[i] for i in range(3)
        )
        arriving = light.irradiance((x, y, z), frame.normal) + sun
        sheet.shade(np.sqrt(arriving * _corner_shade(sheet)))

    def panel(self) -> Panel:
        """Return the finished panel."""
        return Panel(self._frame, Texture(self.sheet.rgb), self._class_id, tuple(self._patches))


def _corner_shade(sheet: Sheet) -> FloatArray:
    """Less light near the edges, where the next face stands in the way; a fit by eye."""
    columns = _edge_shade(sheet.x_m) * _edge_shade(sheet.width_m - sheet.x_m)
    rows = _edge_shade(sheet.y_m) * _edge_shade(sheet.height_m - sheet.y_m)
    return columns * rows


def _edge_shade(distance_m: FloatArray) -> FloatArray:
    share = distance_m * (1 / 0.28)
    return 1.0 - 0.34 / (1.0 + share * share)
