"""One pass over a database's records. See `pipeline.sinks.reading.Reading`."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING

from pipeline.records.jump import Jump
from pipeline.records.record import StoredRecord
from pipeline.sinks.reading import Plan

if TYPE_CHECKING:
    from pipeline.sinks.sqlite.reader import SqliteReader


class SqliteReading:
    """Nothing is told apart here: an id is there once, and no replaced writer wrote."""

    repeated = stale = 0

    def __init__(self, reader: SqliteReader, plan: Plan, *, poll_s: float) -> None:
        """
        Args:
            reader: of the file.
            plan: what is read.
            poll_s: how often it is looked for new rows.
        """
        self.offsets: dict[tuple[str, int], int] = {}
        self._reader = reader
        self._plan = plan
        self._poll_s = poll_s
        self._firsts = {topic: offset for (topic, _), offset in plan.offsets.items()}
        self._cut = threading.Event()

    def __iter__(self) -> Iterator[StoredRecord]:
        begin = self._begin()
        while not self._cut.is_set():
            end = self._reader.last_offset()
            for record in self._reader.between(begin, end, self._plan.topics, self._plan.where):
                if record.offset >= self._firsts.get(record.message.topic, 0):
                    yield record
                if self._cut.is_set():
                    return
            if not self._plan.follow:
                return
            begin = end if begin < end else self._waited(end)

    def done(self, record: StoredRecord) -> None:
        self.offsets[record.message.topic, 0] = record.offset + 1

    def interrupt(self) -> None:
        self._cut.set()

    def close(self) -> None:
        """The connection is the reader's."""

    def _begin(self) -> int:
        """The last offset that is not read."""
        plan, last = self._plan, self._reader.last_offset()
        for topic, first in self._firsts.items():
            if first > last + 1:
                plan.on_jump(Jump(topic, 0, first, 1))
                self._firsts[topic] = self.offsets[topic, 0] = 1
        kept = self._reader.kept()
        for topic, first in self._firsts.items():
            if topic in kept and 0 < first <= kept[topic].removed_to:
                self._firsts[topic] = kept[topic].removed_to + 1
                plan.on_jump(Jump(topic, 0, first, self._firsts[topic]))
        if plan.topics and set(plan.topics) <= self._firsts.keys():
            return min(self._firsts[topic] for topic in plan.topics) - 1
        return 0 if plan.from_beginning else last

    def _waited(self, end: int) -> int:
        """Behind which offset to go on, after a while without a record."""
        self._cut.wait(self._poll_s)
        if not self._reader.took_another():
            return end
        if end:
            self._plan.on_jump(Jump("", 0, end + 1, 1))
        self.offsets = dict.fromkeys((*self._plan.offsets, *self.offsets), 1)
        self._firsts.clear()
        return 0
