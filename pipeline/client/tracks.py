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


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Crossing(Result):
    """A track that crosses a line, between this frame and the last in which it was seen beside it.

    Attributes:
        line: its name.
        inward: from the left hand to the right hand of who looks along the line.
        track, label: id of the track, and its label.
        came_in, went_out: how many of the label have crossed the line in this session so far.
        label_set: name of the label set.
    """

    line: str
    inward: bool
    track: int
    label: TrackLabel
    came_in: int
    went_out: int
    label_set: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Visit(Result):
    """A track that enters a zone, or whose visit is over.

    Attributes:
        kind: `entered`; `left`: seen outside; `lost`: not seen again; `cut`: the stream broke or
            ended.
        zone: its name.
        track, label: id of the track, and its label.
        start: the first frame in which it was within.
        end: the first frame in which it was seen outside, else the last in which it was seen; None
            where it enters.
        dwell_s: between them, seconds; None where it enters.
        label_set: name of the label set.
    """

    kind: str
    zone: str
    track: int
    label: TrackLabel
    start: FrameTime
    end: FrameTime | None
    dwell_s: float | None
    label_set: str


def tracks(said: Mapping[str, Any], message: Message) -> Tracks:
    """Of a record of topic `tracks`."""
    found = tuple(map(_track, json.loads(message.value)["tracks"]))
    return Tracks(**said, label_set=_label_set(message), tracks=found)


def crossing(said: Mapping[str, Any], message: Message) -> Crossing:
    """Of a record of topic `lines.crossed`."""
    data = json.loads(message.value)
    return Crossing(
        **said,
        line=data["line"],
        inward=data["direction"] == "in",
        track=int(data["id"]),
        label=_label(data["label"]),
        came_in=int(data["total"]["in"]),
        went_out=int(data["total"]["out"]),
        label_set=_label_set(message),
    )


def visit(said: Mapping[str, Any], message: Message) -> Visit:
    """Of a record of topic `tracks.zones`."""
    data = json.loads(message.value)
    end, dwell_s = data["end"], data["dwell_s"]
    return Visit(
        **said,
        kind=data["kind"],
        zone=data["zone"],
        track=int(data["id"]),
        label=_label(data["label"]),
        start=frame_time(data["start"]),
        end=None if end is None else frame_time(end),
        dwell_s=None if dwell_s is None else float(dwell_s),
        label_set=_label_set(message),
    )


def _track(data: Mapping[str, Any]) -> Track:
    left, top, right, bottom = map(float, data["box"])
    return Track(
        id=int(data["id"]),
        label=_label(data["label"]),
        box=(left, top, right, bottom),
        score=float(data["score"]),
        lost=data["state"] == "lost",
        age_s=float(data["age_s"]),
        start=data["start"],
    )


def _label(data: Mapping[str, Any]) -> TrackLabel:
    return TrackLabel(int(data["id"]), data["name"])


def _label_set(message: Message) -> str:
    return message.headers["ce_labelset"]
