"""Pictures that a cluster has published of some moments -> a database of them for the while.

A broker finds nothing but by reading, so the topic is read once. Of it is kept what is nearest to
each moment, and what says whether a job hides something in its pictures: the last record of each
session.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

from pipeline.client.fault import FAULTS
from pipeline.records.filter import Filter
from pipeline.records.payloads import time_us
from pipeline.records.record import StoredRecord
from pipeline.sinks.reading import Plan
from pipeline.sinks.sink import Reader
from pipeline.sinks.sqlite.sink import SqliteSink
from pipeline.sinks.uri import open_reader
from pipeline.stream.session import is_connection
from pipeline.view.scratch import scratch
from pipeline.view.series import Axis
from pipeline.view.stills import TOPIC

SLACK_US = 60 * 1_000_000  # by which a camera's clock may be ahead of its writer's

Tell = Callable[[int], None]
"""Hears how many records were read so far."""


class Span(NamedTuple):
    """A moment, and around it when a picture shows it too: event times, microseconds since the
    epoch."""

    stream: str
    session: str
    time_us: int
    from_us: int
    to_us: int

    def away_us(self, axis: Axis, time_us: int) -> int | None:
        """How far from it a picture is; None: it does not show it."""
        own = Axis.of(self.stream, self.session) == axis
        return (
            abs(time_us - self.time_us) if own and self.from_us <= time_us <= self.to_us else None
        )


@contextmanager
def fetched(
    sink: str, spans: Sequence[Span], *, settings: Mapping[str, Any], tell: Tell
) -> Iterator[Path | None]:
    """The database, until the end of the block; None: the sink has no such topic.

    Args:
        sink: URI of the cluster.
        spans: the moments.
        settings: of its client, as of `open_reader`.
        tell: hears how far it is.

    Raises:
        SinkError: the cluster cannot be read.
        UsageError: the URI or the settings are wrong.
    """
    with closing(open_reader(sink, settings=settings)) as reader, scratch() as folder:
        if not spans or TOPIC not in reader.topics():
            yield None
            return
        path = folder / "pictures.db"
        with closing(SqliteSink(path, retention={})) as database:
            database.copy(kept(_read(reader, spans, tell), spans))
        yield path


def kept(records: Iterable[StoredRecord], spans: Sequence[Span]) -> list[StoredRecord]:
    """Those that are of use, each once and in their order; of a variant its own.

    Args:
        records: of the topic, those of a stream in their order.
        spans: the moments.
    """
    last: dict[tuple[str, ...], StoredRecord] = {}
    nearest: dict[tuple[Span, str], tuple[int, StoredRecord]] = {}
    for record in records:
        with suppress(*FAULTS):  # somebody else's
            headers = record.message.headers
            series = headers["ce_streamid"], headers["ce_session"], headers["ce_variant"]
            at_us, axis = time_us(headers["ce_time"]), Axis.of(*series[:2])
            last[series] = record
            for span in spans:
                away_us, key = span.away_us(axis, at_us), (span, series[2])
                if away_us is not None and (key not in nearest or away_us < nearest[key][0]):
                    nearest[key] = away_us, record
    found = [*last.values(), *(record for _, record in nearest.values())]
    return sorted({(one.partition, one.offset): one for one in found}.values(), key=_place)


def _read(reader: Reader, spans: Sequence[Span], tell: Tell) -> Iterator[StoredRecord]:
    streams = tuple(sorted({one.stream for one in spans}))
    live = all(is_connection(one.session) for one in spans)  # else event times are no dates
    since_us = min(one.from_us for one in spans) - SLACK_US if live else None
    with closing(reader.read(Plan((TOPIC,), Filter(streams, since_us=since_us)))) as reading:
        for number, record in enumerate(reading, start=1):
            yield record
            reading.done(record)
            tell(number)


def _place(record: StoredRecord) -> tuple[int, int]:
    return record.partition, record.offset
