"""Textures that all training scenes share: a material and a variant -> a texture, drawn once.

Drawing is what makes a new seed slow, so scenes pick from a fixed stock and tint it. A texture
depends on its name and variant alone, so every process has the same stock. Knows no scene.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from .dice import Dice
from .fittings import door, picture, rug, window
from .patterns import bricks, carton, chequer, crate, planks, plaster, tiles, wallpaper
from .prop_patterns import (
    car_cabin,
    car_side,
    cloth,
    concrete,
    dots,
    drawers,
    marble,
    random_tint,
    stripes,
)
from .sheet import Sheet, Tint
from .street_patterns import (
    carriageway,
    clouds,
    facade,
    foliage,
    glass_front,
    grass,
    paving,
)
from .texture import Texture

_PURPOSE = 1000
_WHITE: Tint = (0.93, 0.93, 0.93)

Draw = Callable[[Sheet, Dice, Tint], None]


@dataclass(frozen=True, slots=True)
class Material:
    """How a texture is drawn: on so many metres and texels, in how many variants.

    `coloured` variants bring random colours of their own; the others are near white, to be tinted.
    """

    draw: Draw
    size_m: tuple[float, float]
    texels_hw: tuple[int, int] = (128, 128)
    variants: int = 4
    coloured: bool = False


def _door(sheet: Sheet, dice: Dice, tint: Tint) -> None:
    door(sheet, tint)


def _window(sheet: Sheet, dice: Dice, tint: Tint) -> None:
    window(sheet, dice)


def _picture(sheet: Sheet, dice: Dice, tint: Tint) -> None:
    picture(sheet, dice)


def _rug(sheet: Sheet, dice: Dice, tint: Tint) -> None:
    rug(sheet, dice, (tint, random_tint(dice)))


MATERIALS: dict[str, Material] = {
    "plaster": Material(plaster, (3.0, 3.0)),
    "wallpaper": Material(wallpaper, (2.0, 2.0)),
    "bricks": Material(bricks, (2.08, 1.80)),
    "concrete": Material(concrete, (3.0, 3.0)),
    "planks": Material(planks, (3.4, 2.56), (256, 256)),
    "tiles": Material(tiles, (2.0, 2.0)),
    "carpet": Material(cloth, (1.5, 1.5)),
    "marble": Material(marble, (1.0, 1.0), variants=8, coloured=True),
    "stripes": Material(stripes, (1.0, 1.0), variants=10, coloured=True),
    "dots": Material(dots, (1.0, 1.0), variants=8, coloured=True),
    "crate": Material(crate, (0.7, 0.7)),
    "carton": Material(carton, (0.7, 0.7)),
    "chequer": Material(chequer, (0.7, 0.7), variants=6, coloured=True),
    "cloth": Material(cloth, (0.6, 0.6)),
    "drawers": Material(drawers, (1.0, 1.0), variants=8),
    "rug": Material(_rug, (3.0, 3.0), (256, 256), variants=8, coloured=True),
    "picture": Material(_picture, (1.0, 0.7), variants=10),
    "window": Material(_window, (1.6, 1.3), variants=8),
    "door": Material(_door, (0.95, 2.08), variants=1),
    "facade": Material(facade, (13.0, 12.0), (256, 256), variants=12),
    "glass": Material(glass_front, (12.0, 12.0), variants=4),
    "carriageway": Material(carriageway, (7.0, 7.0), (256, 256), variants=6),
    "paving": Material(paving, (3.0, 3.0)),
    "grass": Material(grass, (4.0, 4.0)),
    "foliage": Material(foliage, (2.0, 2.0)),
    "clouds": Material(clouds, (1.0, 1.0), variants=6),
    "car side": Material(car_side, (4.2, 0.8), variants=1),
    "car cabin": Material(car_cabin, (2.3, 0.6), variants=2),
}


@lru_cache(maxsize=256)
def stocked(name: str, variant: int) -> Texture:
    """Return a variant (0 .. variants - 1) of a material's texture; drawn on first use."""
    material = MATERIALS[name]
    dice = Dice(variant, _PURPOSE + sorted(MATERIALS).index(name))
    sheet = Sheet.blank(*material.size_m, material.texels_hw)
    material.draw(sheet, dice, random_tint(dice) if material.coloured else _WHITE)
    return Texture(sheet.rgb)
