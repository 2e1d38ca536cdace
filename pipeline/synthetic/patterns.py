"""Procedural materials: a sheet and dice in, a covered sheet out.

Only exact arithmetic on texels (see `rays`): the same seed draws the same picture everywhere.
"""

from __future__ import annotations

import numpy as np

from .dice import Dice
from .rays import FloatArray, IndexArray
from .sheet import Sheet, Tint, soft_step


def noise(dice: Dice, size_hw: tuple[int, int], cells_hw: tuple[int, int]) -> FloatArray:
    """Return smooth value noise, 0..1 float32 [H, W], with that many random knots each way."""
    knots = dice.field(cells_hw[0] + 1, cells_hw[1] + 1)
    row, down = _knot_positions(size_hw[0], cells_hw[0])
    column, right = _knot_positions(size_hw[1], cells_hw[1])
    bands = knots[row] + (knots[row + 1] - knots[row]) * down[:, None]
    left = bands[:, column]
    return left + (bands[:, column + 1] - left) * right


def plaster(sheet: Sheet, dice: Dice, tint: Tint) -> None:
    """Cover with a painted wall: one colour, faintly uneven at two scales."""
    sheet.fill(tint)
    coarse = noise(dice, sheet.size_hw, (6, 12))
    fine = noise(dice, sheet.size_hw, (sheet.size_hw[0] // 4, sheet.size_hw[1] // 4))
    sheet.shade(coarse * 0.06 + fine * 0.05 + 0.945)


def wallpaper(sheet: Sheet, dice: Dice, tint: Tint) -> None:
    """Cover with broad vertical stripes of two near tones and thin light lines between them."""
    plaster(sheet, dice, tint)
    period_m = sheet.width_m / round(sheet.width_m / 0.5)
    share = np.mod(sheet.x_m, period_m)
    stripe = soft_step(np.abs(share - 0.5 * period_m) - 0.25 * period_m, 0.01)
    sheet.shade(1.0 - 0.10 * stripe)
    line = 1.0 - soft_step(np.abs(np.abs(share - 0.5 * period_m) - 0.25 * period_m) - 0.008, 0.008)
    sheet.fill((0.97, 0.94, 0.86), 0.55 * line)


def bricks(sheet: Sheet, dice: Dice, tint: Tint) -> None:
    """Cover with a running bond of bricks, each of its own tone, in light mortar."""
    length_m, course_m, joint_m = 0.26, 0.09, 0.012
    course = np.floor(sheet.y_m / course_m)
    x_m = sheet.x_m + np.mod(course, 2.0) * (0.5 * length_m)
    brick = np.floor(x_m / length_m)
    tones = dice.field(int(course.max()) + 1, int(brick.max()) + 1)
    tone = tones[course.astype(np.intp), brick.astype(np.intp)]
    sheet.fill(tint)
    sheet.shade((tone * 0.35 + 0.80) * (noise(dice, sheet.size_hw, (90, 260)) * 0.16 + 0.90))
    rim_m = np.minimum(_rim(x_m, length_m), _rim(np.broadcast_to(sheet.y_m, x_m.shape), course_m))
    sheet.fill((0.80, 0.77, 0.72), 1.0 - soft_step(rim_m - 0.5 * joint_m, 0.012))


def planks(sheet: Sheet, dice: Dice, tint: Tint) -> None:
    """Cover with floorboards along x: own tone and shift per board, grain, dark seams."""
    width_m, length_m = 0.16, 1.7
    board = np.floor(sheet.y_m / width_m).astype(np.intp)
    shifts = dice.field(int(board.max()) + 1, 1) * length_m
    x_m = sheet.x_m + shifts[board[:, 0]]
    piece = np.floor(x_m / length_m).astype(np.intp)
    tones = dice.field(int(board.max()) + 1, int(piece.max()) + 1)
    tone = tones[board, piece]
    grain = noise(dice, sheet.size_hw, (sheet.size_hw[0] // 3, 40))
    streaks = noise(dice, sheet.size_hw, (sheet.size_hw[0] // 8, 14))
    sheet.fill(tint)
    sheet.shade((tone * 0.24 + 0.86) * (grain * 0.12 + streaks * 0.14 + 0.87))
    rim_m = np.minimum(_rim(np.broadcast_to(sheet.y_m, x_m.shape), width_m), _rim(x_m, length_m))
    sheet.shade(soft_step(rim_m - 0.003, 0.008) * 0.45 + 0.55)


def tiles(sheet: Sheet, dice: Dice, tint: Tint) -> None:
    """Cover with square tiles in a chequer of two tones, with pale joints."""
    side_m = sheet.width_m / round(sheet.width_m / 0.5)
    column = np.floor(sheet.x_m / side_m).astype(np.intp)
    row = np.floor(sheet.y_m / side_m).astype(np.intp)
    tone = dice.field(int(row.max()) + 1, int(column.max()) + 1)[row, column]
    dark = ((row + column) % 2).astype(np.float32)
    veins = noise(dice, sheet.size_hw, (64, 64)) * noise(dice, sheet.size_hw, (200, 200))
    sheet.fill(tint)
    sheet.shade((1.0 - 0.42 * dark) * (tone * 0.08 + 0.92) * (veins * 0.16 + 0.92))
    rim_m = np.minimum(_rim(sheet.x_m, side_m), _rim(sheet.y_m, side_m))
    sheet.fill((0.72, 0.70, 0.67), 1.0 - soft_step(rim_m - 0.005, 0.008))


def crate(sheet: Sheet, dice: Dice, tint: Tint) -> None:
    """Cover with a wooden crate's side: slats, a frame of boards, nails in the corners."""
    width_m, height_m = sheet.width_m, sheet.height_m
    slat_m = height_m / 5
    tones = dice.field(6)
    slat = np.floor(sheet.y_m / slat_m).astype(np.intp)
    grain = noise(dice, sheet.size_hw, (90, 6))
    sheet.fill(tint)
    sheet.shade((tones[slat] * 0.16 + 0.78) * (grain * 0.25 + 0.86))
    sheet.shade(soft_step(_rim(sheet.y_m, slat_m) - 0.008, 0.012) * 0.5 + 0.5)
    border_m = 0.14 * height_m
    rim_m = np.minimum(_rim(sheet.x_m, width_m), _rim(sheet.y_m, height_m))
    frame = 1.0 - soft_step(rim_m - border_m, 0.008)
    sheet.fill(tint, frame)
    sheet.shade(1.0 - frame * (1.0 - (grain * 0.22 + 0.90)))
    sheet.shade(1.0 - 0.45 * (1.0 - soft_step(np.abs(rim_m - border_m) - 0.006, 0.012)))
    inset = 0.5 * border_m
    off_x, off_y = _rim(sheet.x_m, width_m) - inset, _rim(sheet.y_m, height_m) - inset
    sheet.fill((0.2, 0.18, 0.17), 1.0 - soft_step(off_x * off_x + off_y * off_y - 1.5e-4, 1e-4))


def carton(sheet: Sheet, dice: Dice, tint: Tint) -> None:
    """Cover with cardboard: faint flutes, a strip of tape, a printed label."""
    flutes = noise(dice, sheet.size_hw, (2, sheet.size_hw[1] // 3))
    sheet.fill(tint)
    sheet.shade(flutes * 0.08 + noise(dice, sheet.size_hw, (5, 5)) * 0.10 + 0.90)
    tape = 1.0 - soft_step(np.abs(sheet.x_m - 0.5 * sheet.width_m) - 0.06 * sheet.width_m, 0.01)
    sheet.fill((0.93, 0.85, 0.66), 0.75 * tape)
    label = sheet.part(
        sheet.region(
            0.12 * sheet.width_m, 0.58 * sheet.height_m, 0.26 * sheet.width_m, 0.26 * sheet.height_m
        )
    )
    label.fill((0.96, 0.96, 0.94))
    lines = soft_step(0.3 - np.mod(label.y_m * (5.0 / label.height_m), 1.0), 0.1)
    label.fill((0.25, 0.27, 0.30), lines * soft_step(_rim(label.x_m, label.width_m) - 0.02, 0.01))


def chequer(sheet: Sheet, dice: Dice, tint: Tint) -> None:
    """Cover with a 4 x 4 chequer of a colour and off-white, with a plain rim."""
    side_x, side_y = sheet.width_m / 4, sheet.height_m / 4
    odd = np.mod(np.floor(sheet.x_m / side_x) + np.floor(sheet.y_m / side_y), 2.0)
    sheet.fill((0.95, 0.93, 0.88))
    sheet.fill(tint, odd)
    rim_m = np.minimum(_rim(sheet.x_m, sheet.width_m), _rim(sheet.y_m, sheet.height_m))
    sheet.fill(tint, 1.0 - soft_step(rim_m - 0.06 * sheet.height_m, 0.008))
    sheet.shade(noise(dice, sheet.size_hw, (8, 8)) * 0.08 + 0.92)


def _knot_positions(samples: int, cells: int) -> tuple[IndexArray, FloatArray]:
    position = (np.arange(samples, dtype=np.float32) + 0.5) * np.float32(cells / samples)
    knot = np.minimum(position.astype(np.intp), cells - 1)
    part = position - knot.astype(np.float32)
    return knot, part * part * (3.0 - 2.0 * part)


def _rim(position_m: FloatArray, period_m: float) -> FloatArray:
    """Distance to the nearest multiple of the period."""
    share = np.mod(position_m, period_m)
    return np.minimum(share, period_m - share)
