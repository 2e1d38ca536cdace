"""Materials of things: stripes, dots, marble, cloth, drawers, a car's side and cabin.

A sheet, dice and a tint in, a covered sheet out; only exact arithmetic on texels (see `rays`).
"""

from __future__ import annotations

import numpy as np

from .dice import Dice
from .patterns import noise
from .rays import FloatArray
from .sheet import Sheet, Tint, soft_step

_PALE: Tint = (0.95, 0.93, 0.88)
_DARK: Tint = (0.10, 0.11, 0.13)


def random_tint(dice: Dice, low: float = 0.12, high: float = 0.95) -> Tint:
    """Return a colour of random hue and strength, its channels between `low` and `high`."""
    return (dice.between(low, high), dice.between(low, high), dice.between(low, high))


def stripes(sheet: Sheet, dice: Dice, tint: Tint) -> None:
    """Cover with stripes of two colours, upright or slanting."""
    slope = dice.pick((0.0, 0.0, 1.0, -1.0))
    count = dice.pick((3, 4, 6, 8))
    across = sheet.x_m * (count / sheet.width_m) + sheet.y_m * (slope * count / sheet.height_m)
    share = np.abs(np.mod(across, 1.0) - 0.5)
    sheet.fill(tint)
    sheet.fill(random_tint(dice), soft_step(share - 0.25, 0.06))


def dots(sheet: Sheet, dice: Dice, tint: Tint) -> None:
    """Cover with round dots on a plain ground."""
    count = dice.pick((3, 4, 6))
    x = np.mod(sheet.x_m * (count / sheet.width_m), 1.0) - 0.5
    y = np.mod(sheet.y_m * (count / sheet.height_m), 1.0) - 0.5
    sheet.fill(tint)
    sheet.fill(random_tint(dice), 1.0 - soft_step(x * x + y * y - dice.between(0.05, 0.14), 0.04))


def marble(sheet: Sheet, dice: Dice, tint: Tint) -> None:
    """Cover with cloudy veins between two colours."""
    cells = dice.pick((4, 7, 12))
    cloud = noise(dice, sheet.size_hw, (cells, cells)) * 0.6
    cloud = cloud + noise(dice, sheet.size_hw, (3 * cells, 3 * cells)) * 0.4
    sheet.fill(tint)
    sheet.fill(random_tint(dice), soft_step(cloud - 0.5, dice.between(0.1, 0.6)))


def cloth(sheet: Sheet, dice: Dice, tint: Tint) -> None:
    """Cover with woven cloth: fine noise along both threads."""
    rows, cols = sheet.size_hw
    sheet.fill(tint)
    sheet.shade(noise(dice, (rows, cols), (rows // 2, 10)) * 0.14 + 0.86)
    sheet.shade(noise(dice, (rows, cols), (10, cols // 2)) * 0.14 + 0.93)


def concrete(sheet: Sheet, dice: Dice, tint: Tint) -> None:
    """Cover with blotched concrete."""
    rows, cols = sheet.size_hw
    sheet.fill(tint)
    sheet.shade(noise(dice, (rows, cols), (5, 5)) * 0.22 + 0.80)
    sheet.shade(noise(dice, (rows, cols), (rows // 3, cols // 3)) * 0.16 + 0.90)


def drawers(sheet: Sheet, dice: Dice, tint: Tint) -> None:
    """Cover with a cupboard's front: doors or drawers in a grid, a knob each."""
    across, down = dice.pick((1, 2, 2, 3)), dice.pick((1, 2, 3, 4))
    grain = noise(dice, sheet.size_hw, (sheet.size_hw[0] // 2, 5))
    sheet.fill(tint)
    sheet.shade(grain * 0.16 + 0.90)
    x, y = _cells(sheet.x_m, sheet.width_m, across), _cells(sheet.y_m, sheet.height_m, down)
    rim = np.minimum(0.5 - np.abs(x - 0.5), 0.5 - np.abs(y - 0.5))
    sheet.shade(soft_step(rim - 0.04, 0.04) * 0.5 + 0.5)
    off_x, off_y = x - 0.82, y - 0.5
    sheet.fill(
        dice.pick((_DARK, _PALE)), 1.0 - soft_step(off_x * off_x + off_y * off_y - 0.004, 0.003)
    )


def car_side(sheet: Sheet, dice: Dice, tint: Tint) -> None:
    """Cover with a car's lower body: paint, a sill, two wheels, lamps at the ends."""
    x, y = sheet.x_m * (1.0 / sheet.width_m), sheet.y_m * (1.0 / sheet.height_m)
    sheet.fill(tint)
    sheet.shade(1.05 - 0.25 * y)
    for seam in (0.36, 0.60):
        sheet.shade(1.0 - 0.35 * (1.0 - soft_step(np.abs(x - seam) - 0.004, 0.006)))
    sheet.fill(_DARK, soft_step(y - 0.86, 0.05))
    for end, lamp in ((0.03, (0.98, 0.95, 0.80)), (0.97, (0.85, 0.10, 0.08))):
        spot = (1.0 - soft_step(np.abs(x - end) - 0.03, 0.01)) * (
            1.0 - soft_step(np.abs(y - 0.35) - 0.10, 0.04)
        )
        sheet.fill(lamp, spot)
    for hub in (0.2, 0.8):
        off_x, off_y = (x - hub) * 2.6, y - 0.80
        distance_sq = off_x * off_x + off_y * off_y
        sheet.fill(_DARK, 1.0 - soft_step(distance_sq - 0.10, 0.02))
        sheet.fill((0.62, 0.63, 0.65), 1.0 - soft_step(distance_sq - 0.028, 0.01))


def car_cabin(sheet: Sheet, dice: Dice, tint: Tint) -> None:
    """Cover with a car's upper body: dark panes between painted posts."""
    x, y = sheet.x_m * (1.0 / sheet.width_m), sheet.y_m * (1.0 / sheet.height_m)
    sheet.fill(tint)
    pane = soft_step(0.47 - np.abs(x - 0.5), 0.02) * soft_step(0.40 - np.abs(y - 0.52), 0.04)
    pane = pane * soft_step(np.abs(x - dice.pick((0.4, 0.5))) - 0.02, 0.015)
    sheet.fill((0.16, 0.20, 0.26), pane)
    sheet.fill((0.55, 0.66, 0.76), pane * np.clip(0.55 - y, 0.0, 1.0))


def _cells(position_m: FloatArray, span_m: float, count: int) -> FloatArray:
    """How far into its cell a position is, 0..1."""
    share: FloatArray = np.mod(position_m * (count / span_m), 1.0)
    return share
