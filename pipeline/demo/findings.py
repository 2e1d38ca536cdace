"""What a sink holds of one stream, read back as a consumer would: counts, frames, windows, maps.

Sink URI and stream in -> values out. Only the newest variant of each topic counts, so that earlier
runs with other settings stay out. Knows nothing of how records are made or drawn.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import partial

import numpy as np
from numpy.typing import NDArray

from operators.segmentation.labelsets import LabelSet, parse_label_set
from pipeline.records.filter import Filter
from pipeline.records.newest import Latest
from pipeline.records.payloads import (
    class_ids,
    depth_map,
    position_of,
    pts_seconds,
    rgb_pixels,
    time_us,
)
from pipeline.records.record import Message, StoredRecord
from pipeline.records.topics import DEADLETTER
from pipeline.sinks.sink import Reader
from pipeline.sinks.uri import open_reader

FRAME_TOPICS = ("depth", "segmentation", "pca", "embedding")
MAP_TOPICS = ("depth", "segmentation", "pca", "tracks")


@dataclass(frozen=True, slots=True)
class Footage:
    """Whose records: the sink's URI, the stream, its session, and the model's name."""

    sink: str
    stream: str
    session: str
    model: str

    @property
    def where(self) -> Filter:
        """What is said of its stream and session, in whatever topic."""
        return Filter((self.stream,), self.session)


@dataclass(frozen=True, slots=True)
class Shot:
    """A sampled frame.

    Attributes:
        position: in its session, as ids name it.
        time_us: event time, microseconds since the epoch.
        pts_s: its timestamp in the container, seconds; None where it has none.
    """

    position: str
    time_us: int
    pts_s: Fraction | None


@dataclass(frozen=True, slots=True)
class ActionWindow:
    """One action record: its span, and its labels with scores, highest first."""

    start_us: int
    end_us: int
    labels: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class Findings:
    """All that is small enough to keep.

    Attributes:
        counts: topic -> records.
        variants: topic -> variant of its records.
        shots: sampled frames in order of time.
        windows: action records in order of time.
        vectors: position -> embedding, float32 `[D]`.
        labels: label set -> what its ids mean.
        untrained: topics whose records say that they mean nothing.
        out_of_domain: those whose records say that their maker has not learnt from footage.
        model: architecture and start of the weights' hash.
        source_hw: height and width as displayed, pixels.
        example: one record, as it lies there.
    """

    counts: Mapping[str, int]
    variants: Mapping[str, str]
    shots: tuple[Shot, ...]
    windows: tuple[ActionWindow, ...]
    vectors: Mapping[str, NDArray[np.float32]]
    labels: Mapping[str, LabelSet]
    untrained: frozenset[str]
    out_of_domain: frozenset[str]
    model: str
    source_hw: tuple[int, int]
    example: StoredRecord | None


@dataclass(frozen=True, slots=True)
class Tracked:
    """A thing that is tracked: its id, label, and box in pixels of the source; whether it is
    expected there, and not seen."""

    id: int
    label: str
    box: tuple[float, float, float, float]
    lost: bool


@dataclass(frozen=True, slots=True)
class FrameMaps:
    """The maps of one frame, and who is in it.

    Attributes:
        depth_m: float32 `[h, w]` metres, NaN where unknown; None without a record in metres.
        classes: uint8 `[h, w]` class ids; None without a record.
        labelset: which label set the ids are of.
        colours: principal components, RGB uint8 `[h, w, 3]`; None without a record.
        tracks: all that are tracked; None without a record.
    """

    depth_m: NDArray[np.float32] | None = None
    classes: NDArray[np.uint8] | None = None
    labelset: str = ""
    colours: NDArray[np.uint8] | None = None
    tracks: tuple[Tracked, ...] | None = None


@dataclass(slots=True)
class _Gathered:
    """Records of one topic and variant while they are read."""

    first: StoredRecord
    untrained: bool = False
    out_of_domain: bool = False
    shots: dict[str, Shot] = field(default_factory=dict)
    windows: list[ActionWindow] = field(default_factory=list)
    vectors: dict[str, NDArray[np.float32]] = field(default_factory=dict)

    def add(self, message: Message) -> None:
        shot = _shot(message)
        self.shots[shot.position] = shot
        self.untrained |= message.headers.get("ce_untrained") == "true"
        self.out_of_domain |= message.headers.get("ce_outofdomain") == "true"
        if message.topic == "action":
            self.windows.append(_window(message.value))
        elif message.topic == "embedding":
            self.vectors[shot.position] = np.frombuffer(message.value, "<f4")


def read_findings(footage: Footage) -> Findings:
    """Everything but the maps.

    Raises:
        UsageError: the sink is not there or not ours.
        SinkError: it cannot be read.
    """
    found: Latest[str, str, _Gathered] = Latest()
    labels: dict[str, LabelSet] = {}
    with _reading(footage.sink) as reader:
        for record in reader.records(["labels"]):
            name = record.message.key
            labels[name] = parse_label_set(name, json.loads(record.message.value))
        for record in reader.records(where=footage.where):
            message = record.message
            if _is_of(footage, message):
                variant = message.headers["ce_variant"]
                found.of(message.topic, variant, partial(_Gathered, record)).add(message)
    return _findings({topic: found.latest(topic) for topic in found}, labels)


def read_maps(
    footage: Footage, findings: Findings, positions: Iterable[str]
) -> dict[str, FrameMaps]:
    """The maps of some frames; a second pass, because all of them would not fit into memory.

    Args:
        findings: what `read_findings` gave for the same footage.
        positions: of the frames.
    """
    wanted = set(positions)
    values: dict[str, dict[str, Message]] = {position: {} for position in wanted}
    topics = [topic for topic in MAP_TOPICS if topic in findings.variants]
    with _reading(footage.sink) as reader:
        for topic in topics:
            where = replace(footage.where, variant=findings.variants[topic])
            for record in reader.records([topic], where=where):
                if (position := position_of(record.message)) in wanted:
                    values[position][topic] = record.message
    return {position: _maps(messages) for position, messages in values.items()}


def _findings(topics: Mapping[str, _Gathered], labels: Mapping[str, LabelSet]) -> Findings:
    of_frames = [topics[topic] for topic in FRAME_TOPICS if topic in topics]
    shots = {position: shot for one in of_frames for position, shot in one.shots.items()}
    example = topics.get("depth.summary") or next(iter(topics.values()), None)
    headers = example.first.message.headers if example else {}
    return Findings(
        counts={topic: len(one.shots) for topic, one in sorted(topics.items())},
        variants={topic: one.first.message.headers["ce_variant"] for topic, one in topics.items()},
        shots=tuple(sorted(shots.values(), key=lambda shot: shot.time_us)),
        windows=tuple(topics["action"].windows) if "action" in topics else (),
        vectors=topics["embedding"].vectors if "embedding" in topics else {},
        labels=labels,
        untrained=frozenset(topic for topic, one in topics.items() if one.untrained),
        out_of_domain=frozenset(topic for topic, one in topics.items() if one.out_of_domain),
        model=headers.get("ce_model", ""),
        source_hw=(int(headers.get("ce_sourceheight", 0)), int(headers.get("ce_sourcewidth", 0))),
        example=example.first if example else None,
    )


@contextmanager
def _reading(sink: str) -> Iterator[Reader]:
    reader = open_reader(sink)
    try:
        yield reader
    finally:
        reader.close()


def _is_of(footage: Footage, message: Message) -> bool:
    """An operator's record, not an event: those carry no model."""
    model = message.headers.get("ce_model", "").rpartition("-")[0]
    return model == footage.model and message.topic != DEADLETTER


def _shot(message: Message) -> Shot:
    return Shot(position_of(message), time_us(message.headers["ce_time"]), pts_seconds(message))


def _window(value: bytes) -> ActionWindow:
    said = json.loads(value)
    labels = tuple((label["name"], label["score"]) for label in said["labels"])
    return ActionWindow(time_us(said["start"]["time"]), time_us(said["end"]["time"]), labels)


def _maps(messages: Mapping[str, Message]) -> FrameMaps:
    depth, segmentation, pca, tracks = (messages.get(topic) for topic in MAP_TOPICS)
    read = depth_map(depth) if depth is not None else None
    return FrameMaps(
        depth_m=read.values if read and read.metric else None,
        classes=class_ids(segmentation) if segmentation is not None else None,
        labelset=segmentation.headers["ce_labelset"] if segmentation is not None else "",
        colours=rgb_pixels(pca) if pca is not None else None,
        tracks=_tracks(tracks.value) if tracks is not None else None,
    )


def _tracks(value: bytes) -> tuple[Tracked, ...]:
    return tuple(
        Tracked(one["id"], one["label"]["name"], tuple(one["box"]), one["state"] == "lost")
        for one in json.loads(value)["tracks"]
    )
