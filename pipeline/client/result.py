"""What every record says of itself, typed.

A stored record -> its attributes. Must not know what any value holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from functools import lru_cache
from typing import Any

from pipeline.records.lines import attributes
from pipeline.records.record import StoredRecord

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Result:
    """One record; its class says what its value is. What is None, the record does not say.

    Attributes:
        id: `operator/stream/session/position/variant`; equal id means equal value.
        type: `dinostream.TOPIC.v1`.
        topic, partition, offset: where it lies.
        published: when, UTC; None where the sink has no such time.
        stream: id of the stream; None for a label set.
        session: one unbroken timeline of the stream.
        time: when it happened, UTC; of a window, its end.
        clock: what `time` is anchored to; of `media` nobody knows the day.
        ingested: when dinostream decoded the frame, or noticed what it reports, UTC.
        pts: the container's own timestamp, in units of `time_base`.
        time_base: seconds.
        source_hw: height and width of the picture that was looked at, pixels.
        region: left, top, right, bottom of that picture in the whole one, where it is a part.
        variant: all that can change a value; of events and dead letters the job.
        model: architecture and hash of the backbone.
        epoch: which assignment of the stream wrote it.
        untrained: the value means nothing.
        out_of_domain: the value is not to be trusted.
        traceparent: trace context of the frame's span.
        attributes: all of the record's, as they are, by plain names.
    """

    id: str
    type: str
    topic: str
    partition: int
    offset: int
    published: datetime | None
    stream: str | None = None
    session: str | None = None
    time: datetime | None = None
    clock: str | None = None
    ingested: datetime | None = None
    pts: int | None = None
    time_base: Fraction | None = None
    source_hw: tuple[int, int] | None = None
    region: tuple[int, int, int, int] | None = None
    variant: str | None = None
    model: str | None = None
    epoch: int | None = None
    untrained: bool = False
    out_of_domain: bool = False
    traceparent: str | None = None
    attributes: Mapping[str, str] = field(default_factory=dict, repr=False)


def said(record: StoredRecord) -> dict[str, Any]:
    """The fields of `Result` of a record.

    Raises:
        ValueError: an attribute is not what it has to be.
    """
    placed = place(record)
    named = placed["attributes"]
    return placed | {
        "session": named.get("session"),
        "time": moment(named.get("time")),
        "clock": named.get("clock"),
        "ingested": moment(named.get("ingesttime")),
        "pts": _integer(named.get("pts")),
        "time_base": _time_base(named.get("timebase")),
        "source_hw": _size_hw(named),
        "region": _region(named.get("region")),
        "variant": named.get("variant"),
        "model": named.get("model"),
        "epoch": _integer(named.get("epoch")),
        "untrained": named.get("untrained") == "true",
        "out_of_domain": named.get("outofdomain") == "true",
        "traceparent": named.get("traceparent"),
    }


def place(record: StoredRecord) -> dict[str, Any]:
    """Those fields that no record can have wrong."""
    named = attributes(record.message)
    return {
        "id": record.message.id,
        "type": named.get("type", ""),
        "topic": record.message.topic,
        "partition": record.partition,
        "offset": record.offset,
        "published": _published(record.timestamp_us),
        "stream": named.get("streamid"),
        "attributes": named,
    }


def _published(timestamp_us: int) -> datetime | None:
    with suppress(OverflowError):
        return _EPOCH + timedelta(microseconds=timestamp_us)
    return None


def moment(text: str | None) -> datetime | None:
    """RFC 3339 as a moment in UTC.

    Raises:
        ValueError: it is none, or has no zone.
    """
    if text is None:
        return None
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError(f"time {text!r} has no zone")
    return found.astimezone(UTC)


@lru_cache  # a stream has one, and to read it takes longer than all else
def _time_base(text: str | None) -> Fraction | None:
    return None if text is None else Fraction(text)


def _integer(text: str | None) -> int | None:
    return None if text is None else int(text)


def _size_hw(named: Mapping[str, str]) -> tuple[int, int] | None:
    if "sourceheight" not in named or "sourcewidth" not in named:
        return None
    return int(named["sourceheight"]), int(named["sourcewidth"])


def _region(text: str | None) -> tuple[int, int, int, int] | None:
    if text is None:
        return None
    left, top, right, bottom = map(int, text.split(","))
    return left, top, right, bottom
