"""Where a thing is and where it goes: its box, its velocity, and how far off either may be.

A Kalman filter of constant velocity over event time, in seconds, so that any rate of frames and any
hole between two sightings is the same arithmetic. Both axes share one covariance, in units of the
thing's size: a thing that is near moves more pixels and is seen as much less exactly. Pure numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

SEEN_OFF = 0.08  # a detector's centre, in sizes of the thing, standard deviation
SPEED = 3.0  # of a thing that was seen once, in sizes a second, standard deviation
TURNS = 5.0  # how fast velocity wanders, in sizes a second, each root of a second
GROWS = 0.5  # share of a new width and height that is believed

Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Motion:
    """Of one thing at one time.

    Attributes:
        x, y: centre of its box, pixels.
        vx, vy: pixels per second.
        width, height: pixels.
        spread: variance of the place, covariance of place and velocity, variance of the velocity,
            of either axis, in sizes and seconds.
    """

    x: float
    y: float
    vx: float
    vy: float
    width: float
    height: float
    spread: tuple[float, float, float]

    @classmethod
    def of_box(cls, box: Box) -> Motion:
        """Of a thing that is seen for the first time.

        Args:
            box: left, top, right, bottom in pixels.
        """
        x, y, width, height = _centred(box)
        return cls(x, y, 0.0, 0.0, width, height, (SEEN_OFF**2, 0.0, SPEED**2))

    @property
    def size(self) -> float:
        """Side of a square of the same area, pixels."""
        return sqrt(self.width * self.height)

    @property
    def variance(self) -> float:
        """Of where its centre will be seen, of either axis, in sizes."""
        return self.spread[0] + SEEN_OFF**2

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, top, right, bottom in pixels."""
        right, bottom = self.width / 2, self.height / 2
        return self.x - right, self.y - bottom, self.x + right, self.y + bottom

    def after(self, seconds: float) -> Motion:
        """Where it is expected then."""
        place, both, speed = self.spread
        wander = TURNS**2 * seconds
        spread = (
            place + 2 * both * seconds + speed * seconds**2 + wander * seconds**2 / 3,
            both + speed * seconds + wander * seconds / 2,
            speed + wander,
        )
        x, y = self.x + self.vx * seconds, self.y + self.vy * seconds
        return Motion(x, y, self.vx, self.vy, self.width, self.height, spread)

    def seen(self, box: Box) -> Motion:
        """Expected here, and seen in a box."""
        x, y, width, height = _centred(box)
        place, both, speed = self.spread
        of_place, of_speed = place / self.variance, both / self.variance
        return Motion(
            self.x + of_place * (x - self.x),
            self.y + of_place * (y - self.y),
            self.vx + of_speed * (x - self.x),
            self.vy + of_speed * (y - self.y),
            self.width + GROWS * (width - self.width),
            self.height + GROWS * (height - self.height),
            ((1 - of_place) * place, (1 - of_place) * both, speed - of_speed * both),
        )


def _centred(box: Box) -> tuple[float, float, float, float]:
    """Centre, width and height; no side is shorter than a pixel."""
    left, top, right, bottom = box
    return (left + right) / 2, (top + bottom) / 2, max(right - left, 1.0), max(bottom - top, 1.0)
