"""For how long something held: a yes or no at each of many times -> the spells in which it was so.

Also how well spells that somebody found match true ones. Knows nothing of places.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SAME = 0.5  # two spells are one where they share so much of what they cover together


@dataclass(frozen=True, slots=True)
class Spell:
    """From `start_s` to `end_s`, both times at which it held."""

    start_s: float
    end_s: float

    @classmethod
    def around(cls, time_s: float) -> Spell:
        """An instant that may be told up to a second off."""
        return cls(time_s - 1.5, time_s + 1.5)

    def likeness(self, other: Spell) -> float:
        """The part of both together that they share, 0 to 1."""
        shared = min(self.end_s, other.end_s) - max(self.start_s, other.start_s)
        whole = max(self.end_s, other.end_s) - min(self.start_s, other.start_s)
        return max(shared, 0.0) / whole if whole else 1.0


@dataclass(frozen=True, slots=True)
class Score:
    """How many spells are true, were found, and are both; and how far off the ends of those are."""

    true: int = 0
    found: int = 0
    both: int = 0
    off_s: tuple[float, ...] = ()

    def __add__(self, other: Score) -> Score:
        return Score(
            self.true + other.true,
            self.found + other.found,
            self.both + other.both,
            self.off_s + other.off_s,
        )

    @property
    def precision(self) -> float:
        """The part of what was found that is true; 1 where nothing was."""
        return self.both / self.found if self.found else 1.0

    @property
    def recall(self) -> float:
        """The part of what is true that was found; 1 where nothing is."""
        return self.both / self.true if self.true else 1.0


def spells(times_s: Sequence[float], held: NDArray[np.bool_], least_s: float) -> list[Spell]:
    """Return when something held.

    Args:
        times_s: in order.
        held: at each of them, bool [T].
        least_s: a break that is shorter is none; then a spell that is shorter is none.
    """
    found: list[Spell] = []
    edges = np.flatnonzero(np.diff(np.concatenate(([False], held, [False])).astype(np.int8)))
    for first, last in zip(edges[::2], edges[1::2] - 1, strict=True):
        if found and times_s[first] - found[-1].end_s < least_s:
            found[-1] = Spell(found[-1].start_s, times_s[last])
        else:
            found.append(Spell(times_s[first], times_s[last]))
    return [one for one in found if one.end_s - one.start_s >= least_s]


def hysteresis(values: NDArray[np.floating], enter: float, leave: float) -> NDArray[np.bool_]:
    """Return where values are at `enter` or above, or at `leave` or above without a break since."""
    lasts = values >= leave
    run = np.cumsum(~lasts)  # equal within a stretch that lasts
    begun = np.zeros(values.shape, np.bool_)
    for number in np.unique(run[lasts]):
        stretch = np.flatnonzero(lasts & (run == number))
        begun[stretch] = np.logical_or.accumulate(values[stretch] >= enter)
    return begun


def score(true: Sequence[Spell], found: Sequence[Spell], sure_s: float = 0.0) -> Score:
    """Return how well spells match: the most alike first, each with one other at most.

    Args:
        true: what is so.
        found: what is told.
        sure_s: a true one that is shorter may be told, or not.
    """
    pairs = sorted(
        ((a.likeness(b), i, j) for i, a in enumerate(true) for j, b in enumerate(found)),
        key=lambda pair: (-pair[0], pair[1:]),
    )
    left_true, left_found, off_s = {*range(len(true))}, {*range(len(found))}, []
    for likeness, i, j in pairs:
        if likeness >= SAME and i in left_true and j in left_found:
            left_true.remove(i)
            left_found.remove(j)
            a, b = true[i], found[j]
            off_s += [abs(a.start_s - b.start_s), abs(a.end_s - b.end_s)]
    both = len(true) - len(left_true)
    missed = sum(true[i].end_s - true[i].start_s >= sure_s for i in left_true)
    return Score(both + missed, len(found), both, tuple(off_s))
