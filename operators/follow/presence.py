"""Whether a thing is seen, frame by frame, in -> when it was lost and found again, out."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple


class Absence(NamedTuple):
    """When a thing was not seen, seconds: its first and its last such frame, and the first frame
    in which it was seen again, None where it never was.

    Going backwards through a film it is found at an earlier time than it is lost.
    """

    lost_s: float
    last_s: float
    found_s: float | None


def absences(times_s: Sequence[float], seen: Sequence[bool]) -> list[Absence]:
    """In the order in which frames were followed.

    Args:
        times_s: of the frames, in that order.
        seen: in each.
    """
    found = []
    for is_seen, run in groupby(range(len(seen)), key=lambda number: seen[number]):
        rows = list(run)
        if not is_seen:
            behind = rows[-1] + 1
            again_s = times_s[behind] if behind < len(times_s) else None
            found.append(Absence(times_s[rows[0]], times_s[rows[-1]], again_s))
    return found
