"""Who comes into a yard, when, and which way: a seed and a time -> the bodies that are there.

Callers come again and again, each time as another body. A visit is drawn when it is asked for, and
keeps clear of the visits of all callers before it, so that any time can be asked for first.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .dice import Dice
from .motion import Moment
from .outlook import Outlook
from .parts import Thing
from .things import leading
from .walk import Bend, Place, Walk

Disc = tuple[float, float, float]
"""A place that is taken: x, y and radius, metres."""

_FIRST_PURPOSE = 1000
_TRIES = 60
_GAP_M = 0.15
_STEPS_PER_S = 10
# The longest part of a caller's time that a visit takes.
_LONGEST = 0.92
_FASTEST_M_S = 6.0
# Half of their length, metres, and how wide they are for it.
_KINDS: dict[str, tuple[float, float, float]] = {
    "ball": (0.35, 0.65, 1.0),
    "box": (0.30, 0.60, 1.0),
    "car": (0.80, 1.25, 0.43),
}


@dataclass(frozen=True, slots=True)
class Visit:
    """A body on its walk; `track` float64 [T, 2] are its places from step `first` on."""

    thing: Thing
    walk: Walk
    reach_m: float
    first: int
    track: NDArray[np.float64]

    def meets(self, other: Visit) -> bool:
        """Whether the two come too close to each other."""
        first = max(self.first, other.first)
        last = min(self.first + len(self.track), other.first + len(other.track))
        if first >= last:
            return False
        mine, its = (one.track[first - one.first : last - one.first] for one in (self, other))
        apart_m = self.reach_m + other.reach_m + _GAP_M
        return bool((_squared(mine - its) < apart_m * apart_m).any())


class Visits:
    """The visits of `callers` callers to a yard that is seen from `outlook`."""

    __slots__ = ("_callers", "_outlook", "_seed", "_taken", "_visit")

    def __init__(self, seed: int, callers: int, outlook: Outlook, taken: Sequence[Disc]) -> None:
        """
        Args:
            seed: decides who comes when.
            callers: how many may be there at once.
            outlook: they come and go where it does not look.
            taken: what stands in their way.
        """
        self._seed = seed
        self._outlook = outlook
        self._taken = tuple(taken)
        dice = Dice(seed, _FIRST_PURPOSE - 1)
        self._callers = [(dice.between(16.0, 24.0), dice.between(0.0, 1.0)) for _ in range(callers)]
        self._visit = lru_cache(maxsize=1024)(self._drawn)

    def at(self, time_s: float) -> dict[int, Thing]:
        """Return who is there, each under a number of its own: 1 and above."""
        found = {}
        for caller, (every_s, phase) in enumerate(self._callers):
            number = math.floor(time_s / every_s + phase)
            visit = self._visit(caller, number)
            if visit is not None and visit.walk.begin_s <= time_s < visit.walk.end_s:
                found[1 + number * len(self._callers) + caller] = visit.thing
        return found

    def _drawn(self, caller: int, number: int) -> Visit | None:
        """A visit, or None where nobody finds a way past the others."""
        dice = Dice(self._seed, _FIRST_PURPOSE + number * len(self._callers) + caller)
        every_s, phase = self._callers[caller]
        begin_s = (number - phase) * every_s
        others = self._others(caller, begin_s, begin_s + every_s)
        kind = dice.pick(tuple(_KINDS))
        least_m, most_m, wide = _KINDS[kind]
        half_m = dice.between(least_m, most_m)
        for _ in range(_TRIES):
            walk = self._walk(dice, half_m, 2.0 * half_m * wide, every_s, begin_s)
            if walk is None:
                continue
            first, track = _track(walk)
            visit = Visit((), walk, 1.3 * half_m, first, track)
            if self._in_the_way(visit) or any(visit.meets(other) for other in others):
                continue
            thing = leading(kind, walk, half_m, dice, (1.0, 0.0, 0.0))
            return Visit(thing, walk, visit.reach_m, first, track)
        return None

    def _others(self, caller: int, begin_s: float, end_s: float) -> list[Visit]:
        """The visits of callers before this one in a stretch of time."""
        found = []
        for other, (every_s, phase) in enumerate(self._callers[:caller]):
            first = math.floor(begin_s / every_s + phase)
            last = math.floor(end_s / every_s + phase)
            visits = (self._visit(other, number) for number in range(first, last + 1))
            found += [visit for visit in visits if visit is not None]
        return found

    def _walk(
        self, dice: Dice, half_m: float, width_m: float, every_s: float, begin_s: float
    ) -> Walk | None:
        """A way in and out that moves 0.3 to 1.5 widths in a fifth of a second, or None if slow."""
        start, end = (self._outlook.gate(dice, half_m) for _ in range(2))
        over: Place = (dice.between(-4.5, 4.5), dice.between(-2.5, 5.5))
        bend = Bend(start, over, end)
        hurry = dice.between(0.0, 1.0)
        speed = min(5.0 * width_m * (0.3 + 1.2 * hurry * hurry), _FASTEST_M_S)
        spare_s = _LONGEST * every_s - bend.length_m / speed
        if spare_s < 0.0:
            return None
        stops = dice.pick((0, 1, 1, 2))
        rests_s = [spare_s / stops * dice.between(0.5, 0.97) for _ in range(stops)]
        at_m = [
            bend.length_m * share for share in (dice.between(0.35, 0.5), dice.between(0.5, 0.65))
        ]
        late_s = dice.between(0.0, spare_s - sum(rests_s))
        return Walk(bend, begin_s + late_s, speed, tuple(zip(at_m, rests_s, strict=False)))

    def _in_the_way(self, visit: Visit) -> bool:
        return any(
            bool((_squared(visit.track - (x, y)) < (visit.reach_m + radius + _GAP_M) ** 2).any())
            for x, y, radius in self._taken
        )


def _track(walk: Walk) -> tuple[int, NDArray[np.float64]]:
    """Its places at common steps of time, and the first step's number."""
    first = math.floor(walk.begin_s * _STEPS_PER_S)
    last = math.ceil(walk.end_s * _STEPS_PER_S)
    places = [
        walk.position(Moment(step / _STEPS_PER_S, 0.0))[:2] for step in range(first, last + 1)
    ]
    return first, np.array(places)


def _squared(offset: NDArray[Any]) -> NDArray[Any]:
    squared: NDArray[Any] = offset[:, 0] * offset[:, 0] + offset[:, 1] * offset[:, 1]
    return squared
