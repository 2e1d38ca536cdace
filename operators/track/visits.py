"""Who is in which zone, and since when.

A track and where it stands in -> zones that it enters, and visits that are over.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from operator import itemgetter

from operators.frames import FrameInfo
from operators.track.ground import Area, Ground
from operators.track.track import Moment, Track

ENTERED, LEFT, LOST, CUT = "entered", "left", "lost", "cut"
"""What becomes of a visit: it begins, or it ends, because the thing is seen outside, or is not seen
again, or the stream breaks or ends."""


@dataclass(frozen=True, slots=True)
class Visit:
    """One that begins, or is over.

    Attributes:
        kind: `ENTERED`, `LEFT`, `LOST` or `CUT`.
        zone: its name.
        id, label: of the track.
        start: the first frame in which it was within.
        end: the first frame in which it was seen outside, else the last in which it was seen; None
            where it begins.
    """

    kind: str
    zone: str
    id: int
    label: int
    start: FrameInfo
    end: Moment | None = None


def visited(
    track: Track, here: Ground, areas: Sequence[Area], info: FrameInfo
) -> tuple[Track, list[Visit]]:
    """The track with the zones that it is in now, and the visits that begin or end by that. One
    without an id is in none yet."""
    visits, told = dict(track.visits), []
    for area in areas if track.id else ():
        side = area.side(here)
        if side > 0 and area.name not in visits:
            visits[area.name] = info
            told.append(Visit(ENTERED, area.name, track.id, track.label, info))
        elif side < 0 and area.name in visits:
            told.append(_over(LEFT, track, area.name, visits.pop(area.name)))
    return replace(track, visits=visits), told


def cut_short(track: Track, kind: str) -> list[Visit]:
    """The visits of a track that is given up."""
    found = sorted(track.visits.items(), key=itemgetter(0))
    return [_over(kind, track, zone, start) for zone, start in found]


def _over(kind: str, track: Track, zone: str, start: FrameInfo) -> Visit:
    return Visit(kind, zone, track.id, track.label, start, track.last)
