"""One look through a sink before anything is drawn: which records are of this recording, and the
ends of the scales and the names that stay the same from its first frame to its last.

A reader and a session in -> a survey out. Keeps a few values of each topic, never all of them.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from operators.errors import UsageError
from operators.labelsets import LabelSet, parse_label_set
from pipeline.maps import position_of, pts_seconds, time_us
from pipeline.render.track import Place
from pipeline.sinks.sink import Message, Reader
from pipeline.sinks.uri import SqliteAddress, open_reader, parse_sink_uri

DRAWN = ("depth", "segmentation", "pca", "action")
SAMPLES = 64  # values of a topic that scales and names are taken from


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which records: of a recording's session, maybe of one stream of it, of some operators.

    Attributes:
        sink: where they are, for texts; secrets masked.
        source: the recording, for texts.
        session: the recording's.
        stream: the records'; None where any of the session will do.
        operators: of `DRAWN`.
        model: architecture that the records are of; None where the newest will do.
    """

    sink: str
    source: str
    session: str
    stream: str | None
    operators: tuple[str, ...]
    model: str | None = None

    def takes(self, headers: Mapping[str, str]) -> bool:
        """Whether a record with these attributes is one of them."""
        return (
            headers["ce_session"] == self.session
            and self.stream in (None, headers["ce_streamid"])
            and self.model in (None, headers["ce_model"].rpartition("-")[0])
        )


@dataclass(slots=True)
class Found:
    """Records of one topic and variant.

    Attributes:
        first: the first one's place in time.
        last_us: the last one's event time.
        headers: of the last one.
        samples: values spread evenly over the records.
    """

    first: Place
    last_us: int
    headers: Mapping[str, str]
    samples: list[Message] = field(default_factory=list)
    _stride: int = 1
    _seen: int = 0

    def add(self, message: Message) -> None:
        """Take note of the next record."""
        self.headers = message.headers
        self.last_us = max(self.last_us, time_us(message.headers["ce_time"]))
        if self._seen % self._stride == 0:
            self.samples.append(message)
            if len(self.samples) > SAMPLES:
                del self.samples[1::2]
                self._stride *= 2
        self._seen += 1


@dataclass(frozen=True, slots=True)
class Survey:
    """What there is to draw.

    Attributes:
        stream: whose records.
        topics: topic -> its records of the newest variant.
        labels: label set -> what its ids mean.
    """

    stream: str
    topics: Mapping[str, Found]
    labels: Mapping[str, LabelSet]

    @property
    def first(self) -> Place:
        """Of the first record of a frame, or of the first window's start."""
        return min((one.first for one in self.topics.values()), key=lambda place: place.time_us)

    @property
    def last_us(self) -> int:
        """Event time of the last record."""
        return max(one.last_us for one in self.topics.values())

    @property
    def headers(self) -> Mapping[str, str]:
        """Attributes that all records share: model, size of the source."""
        return next(iter(self.topics.values())).headers

    @property
    def untrained(self) -> bool:
        """Some records say that they mean nothing."""
        return any(one.headers.get("ce_untrained") == "true" for one in self.topics.values())


def survey(reader: Reader, wanted: Wanted) -> Survey:
    """Look through the records.

    Raises:
        UsageError: there are none of this recording; the text says what there is instead.
    """
    streams: dict[str, dict[str, dict[str, Found]]] = {}
    newest: dict[tuple[str, str], str] = {}
    sessions: dict[str, set[str]] = {}
    labels: dict[str, LabelSet] = {}
    for message in messages(reader, (*wanted.operators, "labels")):
        headers = message.headers
        if message.topic == "labels":
            labels[message.key] = parse_label_set(message.key, json.loads(message.value))
            continue
        stream, session = headers["ce_streamid"], headers["ce_session"]
        sessions.setdefault(stream, set()).add(session)
        if wanted.takes(headers):
            newest[stream, message.topic] = variant = headers["ce_variant"]
            own = streams.setdefault(stream, {}).setdefault(message.topic, {})
            if variant not in own:
                own[variant] = Found(place_of(message), 0, headers)
            own[variant].add(message)
    stream = _chosen(streams, sessions, wanted)
    topics = {
        topic: streams[stream][topic][newest[stream, topic]]
        for topic in wanted.operators
        if topic in streams[stream]
    }
    return Survey(stream, topics, labels)


def holds_records(sink: str, wanted: Wanted, *, settings: Mapping[str, Any]) -> bool:
    """Whether a sink has the records of the recording already, from its beginning to its end.

    A sink that is not there has none, and a job that was interrupted has not made them all.
    """
    address = parse_sink_uri(sink)
    if isinstance(address, SqliteAddress) and not address.path.exists():
        return False
    reader = open_reader(sink, settings=settings)
    try:
        if any(one.session == wanted.session and not one.done for one in reader.progress()):
            return False
        found = messages(reader, wanted.operators)
        return any(wanted.takes(message.headers) for message in found)
    finally:
        reader.close()


def messages(reader: Reader, topics: Sequence[str]) -> Iterator[Message]:
    """Messages of those topics that exist, in order of publishing."""
    existing = [topic for topic in topics if topic in reader.topics()]
    for record in reader.records(existing) if existing else ():
        yield record.message


def place_of(message: Message) -> Place:
    """Where in the recording a record begins to hold."""
    return Place(time_us(message.headers["ce_time"]), position_of(message), pts_seconds(message))


def _chosen(found: Collection[str], sessions: Mapping[str, set[str]], wanted: Wanted) -> str:
    if len(found) == 1:
        return next(iter(found))
    if found:
        raise UsageError(
            f"{wanted.source} has records of {len(found)} streams in {wanted.sink}: "
            f"{', '.join(sorted(found))}; choose with --stream"
        )
    kinds = ", ".join(wanted.operators)
    if not sessions:
        raise UsageError(f"{wanted.sink} holds no records of {kinds}")
    if wanted.stream is not None and wanted.stream not in sessions:
        raise UsageError(
            f"{wanted.sink} holds no {kinds} records of stream {wanted.stream}; "
            f"there are: {', '.join(sorted(sessions))}"
        )
    mine = {wanted.stream: sessions[wanted.stream]} if wanted.stream else sessions
    if any(wanted.session in ids for ids in mine.values()):
        raise UsageError(
            f"the {kinds} records of {wanted.source} in {wanted.sink} are of another model than "
            f"{wanted.model}"
        )
    there = "; ".join(f"{name}: {', '.join(sorted(ids))}" for name, ids in sorted(mine.items()))
    raise UsageError(
        f"{wanted.source} is session {wanted.session}, and no {kinds} records in {wanted.sink} are "
        f"of that session ({there}); give the very file that the records were made from"
    )
