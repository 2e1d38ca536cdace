"""One look through a sink before anything is drawn: which records are of this recording, and the
ends of the scales and the names that stay the same from its first frame to its last.

A reader and a session in -> a survey out. Keeps a few values of each topic, never all of them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from operators.errors import UsageError
from operators.segmentation.labelsets import LabelSet, parse_label_set
from pipeline.records.filter import ALL, Filter
from pipeline.records.newest import Latest
from pipeline.records.payloads import position_of, pts_seconds, time_us
from pipeline.records.record import Message
from pipeline.render.track import Place
from pipeline.render.wanted import Wanted
from pipeline.sinks.address import SqliteAddress, parse_sink_uri
from pipeline.sinks.sink import Reader
from pipeline.sinks.uri import open_reader

NO_MODEL = ""  # has to do with shots, which are any model's
SAMPLES = 64  # values of a topic that scales and names are taken from


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
        model: whose records: architecture and start of the weights' hash; "" of shots alone.
        topics: topic -> the model's records of the newest variant.
        labels: label set -> what its ids mean.
        notes: what else there is to draw, and how to choose it.
    """

    stream: str
    model: str
    topics: Mapping[str, Found]
    labels: Mapping[str, LabelSet]
    notes: tuple[str, ...] = ()

    @property
    def first(self) -> Place:
        """Of the first record of a frame, or of the first window's start."""
        return min((one.first for one in self.topics.values()), key=lambda place: place.time_us)

    @property
    def last_us(self) -> int:
        """Event time of the last record."""
        return max(one.last_us for one in self.topics.values())

    @property
    def source_hw(self) -> tuple[int, int]:
        """Height and width of the source, which all records share."""
        headers = next(iter(self.topics.values())).headers
        return int(headers["ce_sourceheight"]), int(headers["ce_sourcewidth"])

    @property
    def untrained(self) -> bool:
        """Some records say that they mean nothing."""
        return self._says("ce_untrained")

    @property
    def out_of_domain(self) -> bool:
        """Some say that their maker has not learnt from footage."""
        return self._says("ce_outofdomain")

    def _says(self, mark: str) -> bool:
        return any(one.headers.get(mark) == "true" for one in self.topics.values())


def survey(reader: Reader, wanted: Wanted) -> Survey:
    """Look through the records.

    Raises:
        UsageError: there are none of this recording, and the text says what there is instead; or
            they are of a region of its pictures.
    """
    models: Latest[str, str, bool] = Latest()
    found: Latest[tuple[str, str, str], str, Found] = Latest()
    streams: dict[str, None] = {}  # in order
    for message in messages(reader, wanted.operators, wanted.where):
        headers = message.headers
        if wanted.takes(headers):
            stream, model = headers["ce_streamid"], headers.get("ce_model", NO_MODEL)
            streams[stream] = None
            if model != NO_MODEL:
                models.of(stream, model, bool)
            begin = partial(Found, place_of(message), 0, headers)
            found.of((stream, model, message.topic), headers["ce_variant"], begin).add(message)
    stream = _chosen(list(models) or ([] if wanted.model else list(streams)), reader, wanted)
    named = models.versions(stream)
    model = named[-1] if named else NO_MODEL
    # In the order in which they are drawn.
    keys = [(stream, own, topic) for topic in wanted.operators for own in {model, NO_MODEL}]
    there = [key for key in keys if found.versions(key)]
    variants = {key[2]: found.versions(key) for key in there}
    topics = {key[2]: found.latest(key) for key in there}
    _refuse_regions(stream, topics)
    return Survey(
        stream,
        model,
        topics,
        {
            message.key: parse_label_set(message.key, json.loads(message.value))
            for message in messages(reader, ["labels"])
        },
        _notes(named, variants),
    )


def _refuse_regions(stream: str, topics: Mapping[str, Found]) -> None:
    """Their maps would be drawn over what they are not of."""
    for topic, one in topics.items():
        if region := one.headers.get("ce_region"):
            raise UsageError(
                f"the {topic} records of {stream} are of the region {region} of its pictures, and "
                "whole pictures alone are drawn; --variant chooses records of those, or replay it "
                f"without streams.{stream}.region"
            )


def _notes(models: Sequence[str], variants: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """Which models and variants there are beside the newest ones, oldest first."""
    notes = []
    if others := ", ".join(models[:-1]):
        notes.append(f"drawn is {models[-1]}, there are records of {others} too: --model chooses")
    for topic, (*older, newest) in variants.items():
        if older:
            notes.append(
                f"drawn is the newest variant of {topic}, {newest}; there are {', '.join(older)} "
                "too: --variant chooses"
            )
    return tuple(notes)


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
        found = messages(reader, wanted.operators, wanted.where)
        return any(wanted.takes(message.headers) for message in found)
    finally:
        reader.close()


def messages(reader: Reader, topics: Sequence[str], where: Filter = ALL) -> Iterator[Message]:
    """Messages of those topics that exist, in order of publishing."""
    existing = [topic for topic in reader.topics() if topic in topics]
    for record in reader.records(existing, where=where) if existing else ():
        yield record.message


def place_of(message: Message) -> Place:
    """Where in the recording a record begins to hold."""
    return Place(time_us(message.headers["ce_time"]), position_of(message), pts_seconds(message))


def _chosen(found: Sequence[str], reader: Reader, wanted: Wanted) -> str:
    """The one stream that has records.

    Raises:
        UsageError: there are several, or none; then it is said what there is instead.
    """
    if len(found) == 1:
        return found[0]
    if found:
        raise UsageError(
            f"{wanted.source} has records of {len(found)} streams in {wanted.sink}: "
            f"{', '.join(sorted(found))}; choose with --stream"
        )
    passed: dict[str, set[tuple[str, str]]] = {}
    for message in messages(reader, wanted.operators):
        headers = message.headers
        origin = (headers["ce_session"], headers.get("ce_model", "no model"))
        passed.setdefault(headers["ce_streamid"], set()).add(origin)
    raise _absent(passed, wanted)


def _absent(passed: Mapping[str, set[tuple[str, str]]], wanted: Wanted) -> UsageError:
    """`passed`: session and model of all streams' records."""
    kinds = ", ".join(wanted.operators)
    if not passed:
        return UsageError(f"{wanted.sink} holds no records of {kinds}")
    if wanted.stream is not None and wanted.stream not in passed:
        return UsageError(
            f"{wanted.sink} holds no {kinds} records of stream {wanted.stream}; "
            f"there are: {', '.join(sorted(passed))}"
        )
    mine = {wanted.stream: passed[wanted.stream]} if wanted.stream else passed
    models = {
        model for seen in mine.values() for session, model in seen if session == wanted.session
    }
    if models:
        return UsageError(
            f"the {kinds} records of {wanted.source} in {wanted.sink} are of "
            f"{', '.join(sorted(models))}; none are of {_choice(wanted)}"
        )
    there = "; ".join(
        f"{name}: {', '.join(sorted({session for session, _ in seen}))}"
        for name, seen in sorted(mine.items())
    )
    return UsageError(
        f"{wanted.source} is session {wanted.session}, and no {kinds} records in {wanted.sink} are "
        f"of that session ({there}); give the very file that the records were made from"
    )


def _choice(wanted: Wanted) -> str:
    named = [wanted.model] if wanted.model else []
    return ", ".join([*named, *(f"variant {variant}" for variant in wanted.variants)])
