"""How a room looks: a theme's materials and fittings on its six faces, lit -> textured panels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .canvas import Canvas
from .dice import Dice
from .fittings import door, picture, rug, skirting, window
from .labels import CEILING, DOOR, FLOOR, LAMP, PICTURE, RUG, WALL, WINDOW
from .light import Light
from .opening import Opening
from .panel import Frame, Panel
from .patterns import bricks, planks, plaster, tiles, wallpaper
from .sheet import Sheet, Tint
from .shell import BACK, BOTTOM, FRONT, LEFT, RIGHT, TOP, Shell

_WALL_TEXELS = (512, 1024)
_FLOOR_TEXELS = (1024, 1024)
_CEILING_TEXELS = (256, 256)


@dataclass(frozen=True, slots=True)
class Theme:
    """Colours and materials that go together."""

    walls: Tint
    accent: Tint
    accent_material: Callable[[Sheet, Dice, Tint], None]
    floor: Tint
    floor_material: Callable[[Sheet, Dice, Tint], None]
    rug: tuple[Tint, Tint]
    door: Tint


THEMES: tuple[Theme, ...] = (
    Theme((0.90, 0.88, 0.83), (0.35, 0.52, 0.55), wallpaper, (0.76, 0.58, 0.40), planks,
          ((0.74, 0.33, 0.26), (0.95, 0.89, 0.76)), (0.86, 0.80, 0.70)),
    Theme((0.93, 0.86, 0.75), (0.70, 0.40, 0.30), bricks, (0.55, 0.38, 0.26), planks,
          ((0.20, 0.33, 0.46), (0.93, 0.88, 0.78)), (0.45, 0.30, 0.22)),
    Theme((0.84, 0.88, 0.92), (0.33, 0.42, 0.62), plaster, (0.82, 0.69, 0.53), planks,
          ((0.86, 0.68, 0.28), (0.97, 0.94, 0.86)), (0.92, 0.92, 0.92)),
    Theme((0.87, 0.90, 0.83), (0.46, 0.58, 0.44), wallpaper, (0.86, 0.83, 0.78), tiles,
          ((0.60, 0.28, 0.38), (0.93, 0.87, 0.80)), (0.55, 0.42, 0.30)),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Decor:
    """A room's six panels, LEFT .. TOP, and the light they were lit with."""

    panels: tuple[Panel, ...]
    light: Light


def furnish(shell: Shell, dice: Dice) -> Decor:
    """Return the panels of an empty room in one of the themes."""
    theme = dice.pick(THEMES)
    sunny = dice.pick((LEFT, RIGHT))
    inward = 1.0 if sunny == LEFT else -1.0
    light = Light((0.0, 0.0, shell.height - 0.12), (-0.74 * inward, 0.24, 0.63))
    frames = shell.frames()
    # Towards the back wall, where most cameras look; a left wall's frame starts in front.
    left_m = shell.half_y - 1.1 + dice.between(0.6, 1.3) * inward
    opening = Opening(frames[sunny], left_m, sill_m=0.95, width_m=2.2, height_m=1.35)
    panels = []
    for side in (LEFT, RIGHT, FRONT, BACK):
        wall = Canvas(frames[side], _WALL_TEXELS, WALL)
        _cover(wall.sheet, side, theme, dice)
        if side == sunny:
            wall.bake(light)
            _glaze(wall, opening, dice)
        else:
            _hang(wall, side, theme, dice)
            wall.bake(light)
        panels.append(wall.panel())
    panels.append(_floor(frames[BOTTOM], theme, dice, light=light, opening=opening))
    panels.append(_ceiling(frames[TOP], dice, light))
    return Decor(tuple(panels), light)


def _cover(wall: Sheet, side: int, theme: Theme, dice: Dice) -> None:
    if side == BACK:
        theme.accent_material(wall, dice, theme.accent)
    else:
        plaster(wall, dice, theme.walls)
    skirting(wall)


def _glaze(wall: Canvas, opening: Opening, dice: Dice) -> None:
    top_m = wall.sheet.height_m - opening.sill_m - opening.height_m
    window(wall.cut(WINDOW, (opening.left_m, top_m), (opening.width_m, opening.height_m)), dice)


def _hang(wall: Canvas, side: int, theme: Theme, dice: Dice) -> None:
    """Three pictures on the front and the back wall; a door and a picture on a side wall."""
    width_m, height_m = wall.sheet.width_m, wall.sheet.height_m
    if side in (LEFT, RIGHT):
        at_m = width_m * dice.between(0.15, 0.65)
        door(wall.cut(DOOR, (at_m, height_m - 2.08), (0.95, 2.08)), theme.door)
        spots = [at_m + 2.0 if at_m < 0.45 * width_m else at_m - 1.8]
    else:
        middle = 0.5 * width_m + dice.between(-0.3, 0.3)
        spots = [middle - 1.5, middle, middle + 1.5]
    for spot in spots:
        wide, tall = dice.between(0.75, 1.1), dice.between(0.6, 0.8)
        corner = (spot - 0.5 * wide, height_m - 1.65 - 0.5 * tall)
        picture(wall.cut(PICTURE, corner, (wide, tall)), dice)


def _floor(frame: Frame, theme: Theme, dice: Dice, *, light: Light, opening: Opening) -> Panel:
    canvas = Canvas(frame, _FLOOR_TEXELS, FLOOR)
    sheet = canvas.sheet
    theme.floor_material(sheet, dice, theme.floor)
    width_m, height_m = dice.between(2.8, 3.4), dice.between(3.4, 4.2)
    corner = (0.5 * (sheet.width_m - width_m), 0.5 * (sheet.height_m - height_m))
    rug(canvas.cut(RUG, corner, (width_m, height_m)), dice, theme.rug)
    canvas.bake(light, opening.sunlight(frame, sheet, light))
    return canvas.panel()


def _ceiling(frame: Frame, dice: Dice, light: Light) -> Panel:
    canvas = Canvas(frame, _CEILING_TEXELS, CEILING)
    plaster(canvas.sheet, dice, (0.97, 0.97, 0.96))
    # A lamp in the ceiling lights it only by way of the room: as if it hung 1.2 m lower.
    lamp_x, lamp_y, lamp_z = light.lamp
    canvas.bake(Light((lamp_x, lamp_y, lamp_z - 1.2), light.daylight))
    middle = (0.5 * canvas.sheet.width_m - 0.6, 0.5 * canvas.sheet.height_m - 0.3)
    canvas.cut(LAMP, middle, (1.2, 0.6)).fill((1.0, 0.99, 0.95))
    return canvas.panel()
