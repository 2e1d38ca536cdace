"""Where things stand: anchors of boxes, which side of a line they are on, whether within a zone.

Pure geometry in pixels of the source, x to the right and y down. A border is as wide as things are
seen inexactly: on it nobody is on either side, so that nobody crosses it by trembling.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import hypot

from operators.track.motion import Motion

ANCHORS = ("bottom", "centre")
BORDER = 0.1  # half the width of a border, in sizes of the thing that stands there

Point = tuple[float, float]
Side = tuple[Point, Point]


@dataclass(frozen=True, slots=True)
class Ground:
    """Where a thing stands.

    Attributes:
        x, y: its anchor, pixels.
        reach: half the width of borders for it, pixels.
    """

    x: float
    y: float
    reach: float

    @classmethod
    def of(cls, motion: Motion, anchor: str, size_hw: tuple[int, int]) -> Ground:
        """
        Args:
            motion: of the thing.
            anchor: one of `ANCHORS`: the middle of its box's lower edge, or of the box.
            size_hw: of the picture, pixels. What goes on beyond its edge stands in the last one.
        """
        down = motion.height / 2 if anchor == "bottom" else 0.0
        y, x = (
            min(max(at, 0.5), side - 0.5)
            for at, side in zip((motion.y + down, motion.x), size_hw, strict=True)
        )
        return cls(x, y, BORDER * motion.size)


@dataclass(frozen=True, slots=True)
class Border:
    """A line, in pixels: for who looks from its first end to its second one, `in` is from the left
    hand to the right hand."""

    name: str
    first: Point
    second: Point

    def side(self, here: Ground) -> int:
        """-1 on the left hand, 1 on the right hand, 0 on the border, however far along it."""
        off = self._off(here.x, here.y)
        return 0 if abs(off) <= here.reach else (1 if off > 0 else -1)

    def is_between(self, before: Point, here: Point) -> bool:
        """Whether the straight way from one side to the other passes between the two ends."""
        from_it, to_it = self._off(*before), self._off(*here)
        part = from_it / (from_it - to_it)
        x, y = (a + part * (b - a) for a, b in zip(before, here, strict=True))
        (x1, y1), (x2, y2) = self.first, self.second
        along = (x - x1) * (x2 - x1) + (y - y1) * (y2 - y1)
        return 0 <= along <= (x2 - x1) ** 2 + (y2 - y1) ** 2

    def _off(self, x: float, y: float) -> float:
        """Pixels from the line, above 0 on the right hand."""
        (x1, y1), (x2, y2) = self.first, self.second
        turn = (x2 - x1) * (y - y1) - (y2 - y1) * (x - x1)
        return turn / hypot(x2 - x1, y2 - y1)


@dataclass(frozen=True, slots=True)
class Area:
    """A zone, in pixels.

    Attributes:
        name: its name.
        sides: from corner to corner, all the way round.
        borders: those of them that can be crossed: not those along the picture's edge.
    """

    name: str
    sides: Sequence[Side]
    borders: Sequence[Side]

    def side(self, here: Ground) -> int:
        """1 within, -1 outside, 0 on its border."""
        if any(_distance(here, *border) <= here.reach for border in self.borders):
            return 0
        within = False
        for (x1, y1), (x2, y2) in self.sides:
            if (y1 > here.y) != (y2 > here.y):
                within ^= here.x < x1 + (here.y - y1) * (x2 - x1) / (y2 - y1)
        return 1 if within else -1


def _distance(here: Ground, first: Point, second: Point) -> float:
    """Of a point from a stretch of a line."""
    (x1, y1), (x2, y2) = first, second
    dx, dy = x2 - x1, y2 - y1
    part = ((here.x - x1) * dx + (here.y - y1) * dy) / (dx * dx + dy * dy)
    part = min(1.0, max(0.0, part))
    return hypot(here.x - x1 - part * dx, here.y - y1 - part * dy)
