"""How far training scenes go from what is usual: lenses, heights, covers, light, people."""

from __future__ import annotations

from dataclasses import dataclass

from .dice import Dice
from .sheet import Tint

_WALLS = ("plaster", "plaster", "wallpaper", "bricks", "concrete", "stripes", "marble")
_FLOORS = ("planks", "planks", "tiles", "carpet", "concrete")


@dataclass(frozen=True, slots=True)
class Style:
    """What a kind of scene may look like.

    Attributes:
        lens: least and greatest focal length, in lengths of the picture's long side.
        heights: factors on the least and the greatest height of a camera.
        walls, floors: materials of rooms; one that is named twice is likelier.
        colour_cast: how far a channel of the light may be off, as a share.
        people: how many places are tried for a person; all equally likely.
    """

    lens: tuple[float, float] = (0.70, 0.88)
    heights: tuple[float, float] = (1.0, 1.0)
    walls: tuple[str, ...] = _WALLS
    floors: tuple[str, ...] = _FLOORS
    colour_cast: float = 0.0
    people: tuple[int, ...] = (0,)

    def tinted(self, air: Tint, dice: Dice) -> Tint:
        """Return a light with a cast of its own."""
        if not self.colour_cast:
            return air
        least, most = 1.0 - self.colour_cast, 1.0 + self.colour_cast
        red, green, blue = (channel * dice.between(least, most) for channel in air)
        return (red, green, blue)


USUAL = Style()
VARIED = Style(
    lens=(0.50, 1.30),
    heights=(0.6, 1.7),
    walls=(*_WALLS, "planks", "tiles", "cloth", "chequer", "dots", "facade"),
    floors=(*_FLOORS, "bricks", "marble", "chequer", "stripes", "grass", "paving"),
    colour_cast=0.25,
    people=(0, 4, 8, 16),
)
