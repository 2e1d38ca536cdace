"""Reads records and progress from one SQLite file, while it is being written or not.

Rows in -> records out. Knows nothing of how they are written.
"""

from __future__ import annotations

import json
from array import array
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from operators.errors import UsageError
from pipeline.errors import NoDatabase
from pipeline.records.filter import ALL, Filter
from pipeline.records.record import Message, StoredRecord
from pipeline.records.topics import require_topics
from pipeline.sinks.reading import Plan, Reading
from pipeline.sinks.sink import Held
from pipeline.sinks.sqlite.file import Connection, file_at, open_for_reading, translated
from pipeline.sinks.sqlite.kept import Kept, kept_in
from pipeline.sinks.sqlite.reading import SqliteReading
from pipeline.sinks.sqlite.retention import Limit
from pipeline.stream.progress import Progress

PAGE_ROWS = 256  # a reader never holds a read transaction, nor more rows than these
FEW_ROWS = 1024  # that are looked through one by one sooner than found by their ids

Place = str | int


class SqliteReader:
    """Reads one file. See `pipeline.sinks.sink.Reader`."""

    def __init__(self, path: Path, *, poll_s: float = 0.2) -> None:
        """
        Args:
            path: the file.
            poll_s: how often `follow` looks for new rows.

        Raises:
            UsageError: it is not there or not ours.
            SinkError: it cannot be read.
        """
        self._path = path
        self._poll_s = poll_s
        self._file = file_at(path)
        self._connection: Connection = open_for_reading(path)

    def topics(self) -> list[str]:
        return [topic for (topic,) in self._rows("SELECT DISTINCT topic FROM records ORDER BY 1")]

    def holds(self) -> dict[str, Held]:
        rows = self._rows("SELECT topic, count(*) FROM records GROUP BY topic ORDER BY topic")
        kept, none = self.kept(), Kept(Limit())
        return {topic: _held(records, kept.get(topic, none)) for topic, records in rows}

    def records(
        self,
        topics: Sequence[str] = (),
        *,
        where: Filter = ALL,
        from_beginning: bool = True,
        follow: bool = False,
        repeats: bool = False,  # there are none: ids are unique
    ) -> Iterator[StoredRecord]:
        plan = Plan(tuple(topics), where, from_beginning=from_beginning, follow=follow)
        yield from self.read(plan)

    def read(self, plan: Plan) -> Reading:
        require_topics(plan.named, self.topics())
        for topic, partition in plan.offsets:
            if partition:
                raise UsageError(
                    f"{self._path}: a database has partition 0 alone, it has no "
                    f"{(topic, partition)}; offsets are those of the sink that they came from"
                )
        if plan.group is not None:
            raise UsageError(
                f"{self._path}: a database has no consumer groups, got group {plan.group!r}; keep "
                "the offsets of the subscription with your results, and begin at them"
            )
        return SqliteReading(self, plan, poll_s=self._poll_s)

    def oldest_us(self, topic: str, stream: str) -> int | None:
        kept = self.kept().get(topic)
        if kept is None or not kept.removed:
            return None
        left = self._rows(
            "SELECT timestamp_us FROM records WHERE topic = ? ORDER BY offset LIMIT 1", topic
        )
        return int(left[0][0]) if left else kept.removed_us + 1

    def kept(self) -> dict[str, Kept]:
        """Topic -> what is known of it, where not all is kept."""
        with translated(self._path):
            return kept_in(self._connection)

    def progress(self, job: str | None = None) -> Iterable[Progress]:
        rows = self._rows(
            "SELECT value FROM progress WHERE ?1 IS NULL OR job = ?1 ORDER BY job, stream", job
        )
        return [Progress.from_json(json.loads(value)) for (value,) in rows]

    def close(self) -> None:
        self._connection.close()

    def between(
        self, begin: int, end: int, topics: Sequence[str], where: Filter
    ) -> Iterator[StoredRecord]:
        """Records behind one offset up to another, in order."""
        if not topics and where == ALL:
            for first in range(begin, end, PAGE_ROWS):
                last = min(first + PAGE_ROWS, end)
                yield from self._page("offset > ? AND offset <= ?", first, last)
            return
        offsets = self._offsets(begin, end, topics, where)
        for first in range(0, len(offsets), PAGE_ROWS):
            page = offsets[first : first + PAGE_ROWS]
            yield from self._page(f"offset IN ({', '.join('?' * len(page))})", *page)

    def took_another(self) -> bool:
        """Whether there was another file at the path than the one that is open; now it is open."""
        there = file_at(self._path)
        if there in (None, self._file):
            return False
        with suppress(NoDatabase):  # its writer lays it out
            opened = open_for_reading(self._path)
            self._connection.close()
            self._connection, self._file = opened, there
            return True
        return False

    def _offsets(self, begin: int, end: int, topics: Sequence[str], where: Filter) -> array[int]:
        """Where the records lie that are asked for: 8 bytes each, in order."""
        few = "NOT INDEXED" if end - begin <= FEW_ROWS else ""
        plus = "" if few else "+"  # keeps SQLite from going through all offsets
        found: array[int] = array("q")
        query = f"SELECT offset FROM records {few} WHERE {plus}offset > ? AND {plus}offset <= ?"
        for topic in topics or self.topics():
            for first, behind in where.ids(topic):
                values: list[Place] = [begin, end, topic]
                conditions = " AND topic = ?"
                for condition, value in _conditions(where, first, behind):
                    conditions += f" AND {condition}"
                    values.append(value)
                found.extend(offset for (offset,) in self._rows(query + conditions, *values))
        return array("q", sorted(found))

    def _page(self, condition: str, *values: int) -> list[StoredRecord]:
        rows = self._rows(
            "SELECT offset, topic, key, headers, value, timestamp_us FROM records "
            f"WHERE {condition} ORDER BY offset",
            *values,
        )
        return [
            StoredRecord(Message(topic, key, json.loads(headers), value), timestamp_us, at)
            for at, topic, key, headers, value, timestamp_us in rows
        ]

    def last_offset(self) -> int:
        """Of the newest record, be it removed by now; 0 where there was none."""
        ((last,),) = self._rows("SELECT coalesce(max(offset), 0) FROM records")
        return max(int(last), *(one.removed_to for one in self.kept().values()), 0)

    def _rows(self, query: str, *values: Place | None) -> list[tuple[Any, ...]]:
        with translated(self._path):
            return self._connection.execute(query, values).fetchall()


def _held(records: int, kept: Kept) -> Held:
    age_us = kept.limit.max_age_us
    age_s = None if age_us is None else age_us / 1_000_000
    return Held(records, True, age_s, kept.limit.max_bytes, kept.removed)


def _conditions(where: Filter, first: str, behind: str) -> Iterator[tuple[str, Place]]:
    """Ids begin `topic/stream/session/` and end `/variant`, and have an index."""
    if where.streams:
        yield from (("id >= ?", first), ("id < ?", behind))
    if where.variant is not None:
        yield f"substr(id, -{len(where.variant) + 1}) = ?", f"/{where.variant}"
    if where.since_us is not None:
        yield "timestamp_us >= ?", where.since_us
    if where.until_us is not None:
        yield "timestamp_us < ?", where.until_us
