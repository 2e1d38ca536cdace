"""A sink's records through an audit: progress first, then manifests, then all that they tell of.

In that order whatever is committed meanwhile is newer than what is told of it, never missing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from pipeline.audit.auditor import Auditor
from pipeline.audit.finding import Report
from pipeline.audit.naming import named
from pipeline.records.filter import Filter
from pipeline.records.topics import MANIFEST
from pipeline.sinks.sink import Reader


def audited(
    reader: Reader,
    *,
    streams: Sequence[str] = (),
    since_us: int | None = None,
    tell: Callable[[int], None] = lambda _: None,
) -> Iterator[Report]:
    """Reports of streams, by name.

    Args:
        reader: of the sink.
        streams: which; all where none is named.
        since_us: only manifests that were published then or later, and what they tell of.
        tell: is told how many records were read so far.

    Raises:
        SinkError: the sink cannot be read.
    """
    where = Filter(tuple(streams), since_us=since_us)
    auditor = Auditor(since=since_us is not None)
    standing = [one for one in reader.progress() if not streams or one.stream in streams]
    for record in reader.records([MANIFEST], where=where, repeats=True):
        auditor.tell(record)
    for progress in standing:
        auditor.go_on(progress)
    auditor.begin()
    for number, record in enumerate(reader.records(where=where, repeats=True), start=1):
        if record.message.topic != MANIFEST:
            auditor.see(record)
        tell(number)
    for report in auditor.reports(reader.oldest_us):
        yield named(reader, report)
