"""What hangs on walls and lies on floors: windows, doors, pictures, rugs, lamps.

Each draws one region of a sheet. Only exact arithmetic on texels (see `rays`).
"""

from __future__ import annotations

import numpy as np

from .dice import Dice
from .patterns import noise
from .rays import FloatArray
from .sheet import Sheet, Tint, soft_step

_FRAME_WHITE: Tint = (0.95, 0.94, 0.92)
_RUG_BORDER_M = 0.26
_RUG_CELL_M = 0.55


def window(sheet: Sheet, dice: Dice) -> None:
    """Draw a window: a day sky above a green horizon, in a white frame with a cross."""
    height = sheet.y_m / sheet.height_m
    clouds = noise(dice, sheet.size_hw, (5, 9)) * 0.7 + noise(dice, sheet.size_hw, (13, 22)) * 0.3
    sheet.fill((0.80, 0.90, 0.98))
    sheet.fill((0.42, 0.68, 0.95), np.clip(1.0 - height * 1.5, 0.0, 1.0))
    sheet.fill((1.0, 1.0, 1.0), np.clip((clouds - 0.5) * 3.0, 0.0, 1.0))
    skyline = noise(dice, (1, sheet.size_hw[1]), (1, 7)) * 0.22 + 0.60
    sheet.fill((0.47, 0.64, 0.42), soft_step((height - skyline) * sheet.height_m, 0.02))
    sheet.fill((0.36, 0.52, 0.33), soft_step((height - skyline - 0.14) * sheet.height_m, 0.02))
    for bar in (_border(sheet, 0.07), _bar(sheet, 0.03)):
        sheet.fill(_FRAME_WHITE, bar)


def door(sheet: Sheet, tint: Tint) -> None:
    """Draw a door with two sunk panels, a white frame and a brass knob."""
    sheet.fill(tint)
    for top, tall in ((0.12, 0.34), (0.54, 0.36)):
        region = sheet.region(
            0.22 * sheet.width_m, top * sheet.height_m, 0.56 * sheet.width_m, tall * sheet.height_m
        )
        sunk = sheet.part(region)
        sunk.shade(0.86 + 0.10 * sunk.y_m / sunk.height_m)
        sunk.shade(1.0 - 0.30 * _border(sunk, 0.018))
    sheet.fill(_FRAME_WHITE, _border(sheet, 0.07))
    off_x, off_y = sheet.x_m - 0.84 * sheet.width_m, sheet.y_m - 0.52 * sheet.height_m
    sheet.fill((0.86, 0.70, 0.34), 1.0 - soft_step(off_x * off_x + off_y * off_y - 0.0012, 0.0006))


def picture(sheet: Sheet, dice: Dice) -> None:
    """Draw a framed landscape: a sun over three ranges of hills."""
    sky: tuple[Tint, Tint] = dice.pick(
        (
            ((0.98, 0.80, 0.55), (0.93, 0.48, 0.40)),
            ((0.75, 0.88, 0.92), (0.98, 0.93, 0.80)),
            ((0.30, 0.36, 0.58), (0.92, 0.62, 0.55)),
        )
    )
    height = sheet.y_m / sheet.height_m
    sheet.fill(sky[0])
    sheet.fill(sky[1], np.clip(height * 1.6, 0.0, 1.0))
    off_x = sheet.x_m - sheet.width_m * dice.between(0.3, 0.7)
    off_y = sheet.y_m - sheet.height_m * dice.between(0.28, 0.42)
    disc = (0.11 * sheet.height_m) ** 2
    sheet.fill((1.0, 0.95, 0.80), 1.0 - soft_step(off_x * off_x + off_y * off_y - disc, 0.002))
    near = dice.pick(((0.16, 0.32, 0.36), (0.34, 0.20, 0.34), (0.20, 0.34, 0.22)))
    for step in range(3):
        ridge = noise(dice, (1, sheet.size_hw[1]), (1, 4 + 2 * step)) * 0.22 + 0.40 + 0.15 * step
        mix = (step + 1) / 3
        low = sky[1]
        tint = (
            low[0] * (0.75 - 0.75 * mix) + near[0] * mix,
            low[1] * (0.75 - 0.75 * mix) + near[1] * mix,
            low[2] * (0.75 - 0.75 * mix) + near[2] * mix,
        )
        sheet.fill(tint, soft_step((height - ridge) * sheet.height_m, 0.012))
    sheet.fill(_FRAME_WHITE, _border(sheet, 0.09))
    sheet.fill(
        dice.pick(((0.20, 0.17, 0.15), (0.62, 0.45, 0.27), (0.14, 0.15, 0.18))),
        _border(sheet, 0.04),
    )


def rug(sheet: Sheet, dice: Dice, tints: tuple[Tint, Tint]) -> None:
    """Draw a woven rug: bordered, with a lattice of diamonds."""
    ground, figure = tints
    sheet.fill(ground)
    across = _cell_share(sheet.x_m - _RUG_BORDER_M, sheet.width_m - 2 * _RUG_BORDER_M)
    along = _cell_share(sheet.y_m - _RUG_BORDER_M, sheet.height_m - 2 * _RUG_BORDER_M)
    distance = np.abs(across - 0.5) + np.abs(along - 0.5)
    sheet.fill(figure, 1.0 - soft_step(np.abs(distance - 0.36) - 0.035, 0.02))
    sheet.fill(figure, 1.0 - soft_step(distance - 0.13, 0.02))
    sheet.fill(ground, _border(sheet, _RUG_BORDER_M))
    sheet.fill(figure, _border(sheet, 0.20))
    sheet.fill(ground, _border(sheet, 0.14))
    sheet.fill(figure, _border(sheet, 0.03))
    sheet.shade(
        noise(dice, sheet.size_hw, (sheet.size_hw[0] // 2, sheet.size_hw[1] // 2)) * 0.14 + 0.89
    )


def skirting(sheet: Sheet) -> None:
    """Draw a white skirting board along the sheet's lower edge, with a shadow line on top."""
    from_floor = sheet.height_m - sheet.y_m
    sheet.fill(_FRAME_WHITE, 1.0 - soft_step(from_floor - 0.10, 0.008))
    sheet.shade(1.0 - 0.3 * (1.0 - soft_step(np.abs(from_floor - 0.104) - 0.004, 0.008)))


def _border(sheet: Sheet, width_m: float) -> FloatArray:
    """1 within `width_m` of the sheet's edges, else 0."""
    from_side = np.minimum(sheet.x_m, sheet.width_m - sheet.x_m)
    from_end = np.minimum(sheet.y_m, sheet.height_m - sheet.y_m)
    return 1.0 - soft_step(np.minimum(from_side, from_end) - width_m, 0.008)


def _bar(sheet: Sheet, half_m: float) -> FloatArray:
    """1 on the sheet's middle cross, else 0."""
    off_x = np.abs(sheet.x_m - 0.5 * sheet.width_m)
    off_y = np.abs(sheet.y_m - 0.5 * sheet.height_m)
    return 1.0 - soft_step(np.minimum(off_x, off_y) - half_m, 0.008)


def _cell_share(position_m: FloatArray, span_m: float) -> FloatArray:
    """How far into its lattice cell a position is, 0..1; whole cells fill the span."""
    cell_m = span_m / round(span_m / _RUG_CELL_M)
    return np.mod(position_m, cell_m) * (1.0 / cell_m)
