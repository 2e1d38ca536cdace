"""What records of tracks hold: where things are, which lines they cross, which zones they visit."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.client.action import FrameTime, frame_time
from pipeline.client.result import Result
from pipeline.records.record import Message


@dataclass(frozen=True, slots=True)
class TrackLabel:
    """A class by its id in the label set, and its name."""

    id: int
    name: str


@dataclass(frozen=True, slots=True)
class Track:
    """Where one thing is in one frame.

    Attributes:
        id: its own in its stream and session, from 1.
        label: what most of its detections said.
        box: left, top, right, bottom, pixels of the source: of its detection, or where it is
            expected while it is lost.
        score: of its last detection, 0 to 1.
        lost: nothing was detected where it could be.
        age_s: since it was seen first, seconds.
        start: position of the frame in which that was.
    """

    id: int
    label: TrackLabel
    box: tuple[float, float, float, float]
    score: float
    lost: bool
    age_s: float
    start: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tracks(Result):
    """All that is tracked in a frame; maybe nothing.

    Attributes:
        label_set: name of the label set.
        tracks: in the order of their ids' beginning.
    """

    label_set: str
    tracks: tuple[Track, ...]


@dataclass(frozen=True, slots=True)
class Crossing:
    """A track that has crossed a line.

    Attributes:
        line: its name.
        inward: from the left hand to the right hand of who looks along the line.
        id, label: of the track.
    """

    line: str
    inward: bool
    id: int
    label: TrackLabel


@dataclass(frozen=True, slots=True)
class Total:
    """How many things of a label have crossed a line in a session so far, in and out."""

    line: str
    label: TrackLabel
    came_in: int
    went_out: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Crossings(Result):
    """Lines that were crossed by this frame, since the one before.

    Attributes:
        label_set: name of the label set.
        crossed: one or more.
        totals: of every line and label that has been crossed.
    """

    label_set: str
    crossed: tuple[Crossing, ...]
    totals: tuple[Total, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """A track that is in a zone and was not before: the zone's name; the track's id and label."""

    zone: str
    id: int
    label: TrackLabel


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Entries(Result):
    """Zones that are entered in this frame: one or more."""

    label_set: str
    entered: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Visit:
    """A track that was in a zone.

    Attributes:
        zone: its name.
        id, label: of the track.
        start: the first frame in which it was within.
        end: the first frame in which it was seen outside, else the last in which it was seen.
        dwell_s: between them, seconds.
        ending: `left`, `lost`, or `cut`: the stream broke or ended.
    """

    zone: str
    id: int
    label: TrackLabel
    start: FrameTime
    end: FrameTime
    dwell_s: float
    ending: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Visits(Result):
    """Visits to zones that are over by this frame: one or more."""

    label_set: str
    visits: tuple[Visit, ...]


def tracks(said: Mapping[str, Any], message: Message) -> Tracks:
    """Of a record of topic `tracks`."""
    found = tuple(map(_track, json.loads(message.value)["tracks"]))
    return Tracks(**said, label_set=_label_set(message), tracks=found)


def crossings(said: Mapping[str, Any], message: Message) -> Crossings:
    """Of a record of topic `lines.crossed`."""
    data = json.loads(message.value)
    crossed = tuple(
        Crossing(one["line"], one["direction"] == "in", **_who(one)) for one in data["crossed"]
    )
    totals = tuple(
        Total(line, _label(one["label"]), int(one["in"]), int(one["out"]))
        for line, of_line in data["totals"].items()
        for one in of_line
    )
    return Crossings(**said, label_set=_label_set(message), crossed=crossed, totals=totals)


def entries(said: Mapping[str, Any], message: Message) -> Entries:
    """Of a record of topic `tracks.entered`."""
    entered = json.loads(message.value)["entered"]
    found = tuple(Entry(one["zone"], **_who(one)) for one in entered)
    return Entries(**said, label_set=_label_set(message), entered=found)


def visits(said: Mapping[str, Any], message: Message) -> Visits:
    """Of a record of topic `tracks.visits`."""
    found = tuple(
        Visit(
            zone=one["zone"],
            **_who(one),
            start=frame_time(one["start"]),
            end=frame_time(one["end"]),
            dwell_s=float(one["dwell_s"]),
            ending=one["ending"],
        )
        for one in json.loads(message.value)["visits"]
    )
    return Visits(**said, label_set=_label_set(message), visits=found)


def _track(data: Mapping[str, Any]) -> Track:
    left, top, right, bottom = map(float, data["box"])
    return Track(
        **_who(data),
        box=(left, top, right, bottom),
        score=float(data["score"]),
        lost=data["state"] == "lost",
        age_s=float(data["age_s"]),
        start=data["start"],
    )


def _who(data: Mapping[str, Any]) -> dict[str, Any]:
    return {"id": int(data["id"]), "label": _label(data["label"])}


def _label(data: Mapping[str, Any]) -> TrackLabel:
    return TrackLabel(int(data["id"]), data["name"])


def _label_set(message: Message) -> str:
    return message.headers["ce_labelset"]
