"""Who is in which zone, and since when.

A track and where it stands in -> zones that it enters, and visits that are over.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from operator import itemgetter
from typing import Any, Self

from operators.frames import FrameInfo
from operators.track.ground import Area, Ground
from operators.track.track import Moment, Track

LEFT, LOST, CUT = "left", "lost", "cut"
"""How a visit ends: seen outside; not seen again; the stream breaks, or ends."""


@dataclass(frozen=True, slots=True)
class Visit:
    """One that is over.

    Attributes:
        zone: its name.
        id, label: of the track.
        start: the first frame in which it was within.
        end: the first frame in which it was seen outside; else the last in which it was seen.
        ending: `LEFT`, `LOST` or `CUT`.
    """

    zone: str
    id: int
    label: int
    start: FrameInfo
    end: Moment
    ending: str

    @property
    def dwell_s(self) -> float:
        """How long it lasted."""
        return (self.end.time_us - self.start.event_time_us) / 1e6

    def to_json(self) -> dict[str, Any]:
        """As JSON values."""
        own = {name: getattr(self, name) for name in self.__slots__}
        return own | {"start": self.start.to_json(), "end": self.end.to_json()}

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> Self:
        """What `to_json` gave."""
        ends = {"start": FrameInfo.from_json(said["start"]), "end": Moment(*said["end"])}
        return cls(**{**said, **ends})


def visited(
    track: Track, here: Ground, areas: Sequence[Area], info: FrameInfo
) -> tuple[Track, list[str], list[Visit]]:
    """A track that has an id, with the zones that it is in now, those that it enters, and visits
    that are over."""
    visits, entered, over = dict(track.visits), [], []
    for area in areas:
        side = area.side(here)
        if side > 0 and area.name not in visits:
            visits[area.name] = info
            entered.append(area.name)
        elif side < 0 and area.name in visits:
            over.append(_visit(track, area.name, visits.pop(area.name), LEFT))
    return replace(track, visits=visits), entered, over


def cut_short(track: Track, ending: str) -> list[Visit]:
    """The visits of a track that is given up."""
    return [
        _visit(track, zone, start, ending)
        for zone, start in sorted(track.visits.items(), key=itemgetter(0))
    ]


def _visit(track: Track, zone: str, start: FrameInfo, ending: str) -> Visit:
    return Visit(zone, track.id, track.label, start, track.last, ending)
