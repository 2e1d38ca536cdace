"""A sink's records, once, through whatever is asked of them -> one sheet."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

from operators.errors import UsageError
from operators.moment import rfc3339
from pipeline.client.fault import FAULTS
from pipeline.plot.actions import Actions
from pipeline.plot.classes import Classes
from pipeline.plot.drops import Drops
from pipeline.plot.latency import Latency
from pipeline.plot.ledger import Ledgers
from pipeline.plot.panel import Panel
from pipeline.plot.sheet import sheet
from pipeline.plot.statement import Statement
from pipeline.plot.throughput import Throughput
from pipeline.records.filter import Filter
from pipeline.records.record import StoredRecord
from pipeline.records.topics import data_topics
from pipeline.sinks.reading import nobody_wrote
from pipeline.sinks.sink import Reader

_END_US = 253_402_300_800_000_000  # the year 10000, which no clock of ours tells


class Question(Protocol):
    """What is asked of the records. Keeps no record, and little of many."""

    def wants(self, topic: str) -> bool:
        """Whether it reads a topic."""
        ...

    def see(self, record: StoredRecord) -> None:
        """Called with every record of those. Raises one of `FAULTS` where it is not as it
        should be."""
        ...

    def panels(self) -> list[Panel]:
        """Called once, at the end."""
        ...


QUESTIONS: Mapping[str, tuple[type[Question], ...]] = {
    "throughput": (Throughput,),
    "latency": (Latency,),
    "classes": (Classes, Actions),
    "drops": (Drops,),
    "ledger": (Ledgers,),
}


def records_sheet(
    reader: Reader,
    name: str,
    *,
    what: Sequence[str] = tuple(QUESTIONS),
    where: Filter,
    tell: Callable[[int], None] = lambda _: None,
) -> str:
    """One SVG document.

    Args:
        reader: of the sink.
        name: of the sink, for its title.
        what: of `QUESTIONS`, in the order of the panels.
        where: which records.
        tell: is told how many records were read so far.

    Raises:
        UsageError: there is no record, or nobody wrote one of the streams.
        SinkError: the sink cannot be read.
    """
    asked = {one: [question() for question in QUESTIONS[one]] for one in what}
    questions = [question for several in asked.values() for question in several]
    reading = _Reading(questions)
    topics = [topic for topic in _read(reader.topics()) if any(q.wants(topic) for q in questions)]
    for number, record in enumerate(reader.records(topics, where=where) if topics else (), 1):
        reading.see(record)
        tell(number)
    if not reading.records and next(iter(reader.records(where=where)), None) is None:
        nothing = "there is nothing to draw: no record of these streams and times is there"
        raise UsageError(nobody_wrote(where.streams, reader) or nothing)
    panels = [panel for one, several in asked.items() for panel in _panels(one, several)]
    return sheet(f"Records of {name}", reading.facts(), panels)


class _Reading:
    def __init__(self, questions: Iterable[Question]) -> None:
        self._questions = list(questions)
        self._asking: dict[str, list[Question]] = {}
        self.records = 0
        self._unread = 0
        self._first_us = self._last_us = 0

    def see(self, record: StoredRecord) -> None:
        topic, time_us = record.message.topic, record.timestamp_us
        if not 0 <= time_us < _END_US:
            self._unread += 1
            return
        if topic not in self._asking:
            self._asking[topic] = [one for one in self._questions if one.wants(topic)]
        try:
            for question in self._asking[topic]:
                question.see(record)
        except FAULTS:
            self._unread += 1
            return
        self._first_us = min(self._first_us, time_us) if self.records else time_us
        self._last_us = max(self._last_us, time_us) if self.records else time_us
        self.records += 1

    def facts(self) -> list[str]:
        facts = ["No record tells of it."]
        if self.records:
            spans = (self._first_us, self._last_us)
            first, last = (rfc3339(at)[:19].replace("T", " ") for at in spans)
            facts = [f"{self.records:,} records, published from {first} to {last} UTC."]
        if self._unread:
            what = "records are not what they should be, and left out where they cannot be read"
            facts.append(f"{self._unread:,} {what}.")
        return facts


def _read(topics: Sequence[str]) -> list[str]:
    """Without maps of which a summary tells the same: one record a frame, and larger."""
    return [topic for topic in data_topics(topics) if f"{topic}.summary" not in topics]


def _panels(asked: str, questions: Sequence[Question]) -> list[Panel]:
    panels = [panel for question in questions for panel in question.panels()]
    return panels or [Statement(asked.capitalize(), f"No record tells of {asked}.")]
