"""Materials of streets: facades, carriageways, paving, grass, foliage, clouds.

A sheet, dice and a tint in, a covered sheet out; only exact arithmetic on texels (see `rays`).
"""

from __future__ import annotations

import numpy as np

from .dice import Dice
from .patterns import bricks, noise, plaster
from .prop_patterns import concrete
from .rays import FloatArray
from .sheet import Sheet, Tint, soft_step

_GLASS: tuple[Tint, ...] = ((0.20, 0.26, 0.33), (0.36, 0.46, 0.55), (0.13, 0.15, 0.18))
_LIT: Tint = (0.98, 0.86, 0.56)
_MARKING: Tint = (0.93, 0.92, 0.87)


def facade(sheet: Sheet, dice: Dice, tint: Tint) -> None:
    """Cover with four storeys of four windows: their shape, frames and curtains vary."""
    dice.pick((plaster, bricks, concrete))(sheet, dice, tint)
    half_x, half_y = dice.between(0.17, 0.40), dice.between(0.22, 0.38)
    glass = dice.pick(_GLASS)
    lit_share = dice.pick((0.0, 0.1, 0.3))
    frame = dice.pick(((0.93, 0.92, 0.89), (0.25, 0.22, 0.20), (0.60, 0.58, 0.55)))
    column, x = _cell(sheet.x_m, sheet.width_m)
    row, y = _cell(sheet.y_m, sheet.height_m)
    inside = np.minimum(half_x - np.abs(x - 0.5), half_y - np.abs(y - 0.5))
    sheet.fill(frame, soft_step(inside + 0.03, 0.03))
    sheet.fill(glass, soft_step(inside, 0.03))
    fate = dice.field(4, 4)[row, column]
    sheet.fill(_LIT, soft_step(inside, 0.03) * (fate < lit_share))
    sheet.fill((0.75, 0.80, 0.84), soft_step(inside, 0.03) * (fate > 0.75) * (y < 0.5))
    if dice.chance(0.5):
        sheet.fill(frame, soft_step(inside, 0.03) * (1.0 - soft_step(np.abs(x - 0.5) - 0.02, 0.02)))
    if dice.chance(0.5):
        sheet.shade(1.0 - 0.35 * (1.0 - soft_step(0.5 - np.abs(y - 0.5) - 0.03, 0.03)))


def glass_front(sheet: Sheet, dice: Dice, tint: Tint) -> None:
    """Cover with a curtain wall: panes of slightly different tones in a dark grid."""
    count = dice.pick((4, 6, 8))
    column = np.floor(sheet.x_m * (count / sheet.width_m)).astype(np.intp)
    row = np.floor(sheet.y_m * (count / sheet.height_m)).astype(np.intp)
    sheet.fill(tint)
    sheet.shade(dice.field(count, count)[row, column] * 0.45 + 0.55)
    x = np.mod(sheet.x_m * (count / sheet.width_m), 1.0)
    y = np.mod(sheet.y_m * (count / sheet.height_m), 1.0)
    rim = np.minimum(0.5 - np.abs(x - 0.5), 0.5 - np.abs(y - 0.5))
    sheet.fill((0.16, 0.17, 0.19), 1.0 - soft_step(rim - 0.05, 0.03))


def carriageway(sheet: Sheet, dice: Dice, tint: Tint) -> None:
    """Cover with one period of a road along y: asphalt, edge lines, a dashed middle line."""
    concrete(sheet, dice, tint)
    x = sheet.x_m * (1.0 / sheet.width_m)
    y = sheet.y_m * (1.0 / sheet.height_m)
    if dice.chance(0.8):
        dash = soft_step(0.25 - np.abs(y - 0.5), 0.02)
        sheet.fill(_MARKING, dash * (1.0 - soft_step(np.abs(x - 0.5) - 0.009, 0.008)))
    if dice.chance(0.6):
        sheet.fill(_MARKING, 1.0 - soft_step(np.abs(np.abs(x - 0.5) - 0.46) - 0.009, 0.008))


def paving(sheet: Sheet, dice: Dice, tint: Tint) -> None:
    """Cover with slabs of slightly different tones and dark joints."""
    count = dice.pick((4, 6, 8))
    column = np.floor(sheet.x_m * (count / sheet.width_m)).astype(np.intp)
    row = np.floor(sheet.y_m * (count / sheet.height_m)).astype(np.intp)
    sheet.fill(tint)
    sheet.shade(dice.field(count, count)[row, column] * 0.18 + 0.82)
    x = np.mod(sheet.x_m * (count / sheet.width_m), 1.0)
    y = np.mod(sheet.y_m * (count / sheet.height_m), 1.0)
    rim = np.minimum(0.5 - np.abs(x - 0.5), 0.5 - np.abs(y - 0.5))
    sheet.shade(soft_step(rim - 0.03, 0.04) * 0.35 + 0.65)


def grass(sheet: Sheet, dice: Dice, tint: Tint) -> None:
    """Cover with grass: blades as fine noise over dry and wet patches."""
    rows, cols = sheet.size_hw
    sheet.fill(tint)
    sheet.shade(noise(dice, (rows, cols), (rows // 2, cols // 2)) * 0.5 + 0.70)
    sheet.fill((0.62, 0.58, 0.36), noise(dice, (rows, cols), (6, 6)) * 0.35)


def foliage(sheet: Sheet, dice: Dice, tint: Tint) -> None:
    """Cover with leaves: blotches of light and dark."""
    rows, cols = sheet.size_hw
    leaves = noise(dice, (rows, cols), (24, 24)) * 0.6
    leaves = leaves + noise(dice, (rows, cols), (rows // 2, cols // 2)) * 0.4
    sheet.fill(tint)
    sheet.shade(soft_step(leaves - 0.5, 0.5) * 0.7 + 0.45)


def clouds(sheet: Sheet, dice: Dice, tint: Tint) -> None:
    """Cover with how much cloud there is, 0..1, in all channels alike; `tint` scales it."""
    rows, cols = sheet.size_hw
    puffs = noise(dice, (rows, cols), (5, 5)) * 0.55 + noise(dice, (rows, cols), (12, 12)) * 0.3
    puffs = puffs + noise(dice, (rows, cols), (30, 30)) * 0.15
    sheet.fill(tint, soft_step(puffs - dice.between(0.42, 0.62), 0.25))


def _cell(position_m: FloatArray, span_m: float) -> tuple[FloatArray, FloatArray]:
    """Which of four cells a position is in, and how far into it, 0..1."""
    place = position_m * (4.0 / span_m)
    whole = np.floor(place)
    return whole.astype(np.intp), place - whole
