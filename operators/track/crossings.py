"""Who crosses which line, and which way; how many have so far, by label.

A track and where it stands in -> crossings out. A crossing counts once the thing has been on one
side of the border and then on the other; the way between has to pass between the line's ends.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from operators.track.ground import Border, Ground
from operators.track.track import Track

IN, OUT = "in", "out"
Counts = Mapping[str, Mapping[int, tuple[int, int]]]
"""Line -> label -> how many have crossed it in, and out."""


@dataclass(frozen=True, slots=True)
class Crossing:
    """
    Attributes:
        line: its name.
        direction: `IN` or `OUT`.
        id, label: of the track.
    """

    line: str
    direction: str
    id: int
    label: int


def crossed(track: Track, here: Ground, borders: Sequence[Border]) -> tuple[Track, list[Crossing]]:
    """The track with the sides that it is on now, and the lines that it has crossed.

    One without an id stays on the side where it was seen first: what it crosses counts when it has
    one.
    """
    sides, found = dict(track.sides), []
    for border in borders:
        side, before = border.side(here), sides.get(border.name)
        if not side or (before and not track.id):
            continue
        if before and before[0] != side and border.is_between(before[1:], (here.x, here.y)):
            direction = IN if side > 0 else OUT
            found.append(Crossing(border.name, direction, track.id, track.label))
        sides[border.name] = (side, here.x, here.y)
    return replace(track, sides=sides), found


def counted(counts: Counts, crossings: Sequence[Crossing]) -> Counts:
    """With more crossings."""
    found = {line: dict(of_line) for line, of_line in counts.items()}
    for one in crossings:
        of_line = found.setdefault(one.line, {})
        came_in, went_out = of_line.get(one.label, (0, 0))
        inward = one.direction == IN
        of_line[one.label] = (came_in + inward, went_out + (not inward))
    return found
