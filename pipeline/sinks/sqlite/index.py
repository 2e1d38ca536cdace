"""Where records of a database lie, by its own index of ids: only what is asked for is read.

Ids begin `topic/stream/session/`, and the index holds their offsets too. So streams and sessions
are found by a seek each, and the offsets of a million records by one pass over the index in C.
"""

from __future__ import annotations

import json
import threading
from array import array
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.records.record import Message, StoredRecord
from pipeline.sinks.sqlite.file import Connection, file_at, open_for_reading, translated
from pipeline.stream.progress import Progress

VARIANT_DIGITS = 12
BEHIND = chr(ord("/") + 1)  # ids of whatever comes behind `name/...`
_RECORD = "offset, topic, key, headers, value, timestamp_us"


@dataclass(frozen=True, slots=True)
class Version:
    """Records of one topic, stream and session that are of one variant."""

    variant: str
    records: int
    last_offset: int


class RecordIndex:
    """Of one file, which may be written meanwhile, go away and be another one. From any thread.

    Every method raises `NoDatabase` where there is none (yet), and `SinkError` where it cannot be
    read.

    Attributes:
        generation: rises when there is another file at the path; offsets are other ones then.
    """

    def __init__(self, path: Path) -> None:
        self.generation = 0
        self._path = path
        self._lock = threading.Lock()
        self._file: tuple[int, int] | None = None
        self._idle: list[Connection] = []

    def topics(self) -> list[str]:
        """Those that have records, sorted."""
        return list(self._distinct(""))

    def streams(self, topic: str) -> list[str]:
        """Whose records a topic has, sorted; not for label sets, which are nobody's."""
        return sorted(self._distinct(f"{topic}/", topic))

    def has(self, topic: str, stream: str) -> bool:
        """Whether a topic has records of a stream."""
        return next(self._distinct(f"{topic}/{stream}/", topic), None) is not None

    def sessions(self, topic: str, stream: str) -> list[str]:
        """Of a stream's records of a topic, sorted as text."""
        return sorted(self._distinct(f"{topic}/{stream}/", topic))

    def versions(self, topic: str, stream: str, session: str) -> list[Version]:
        """Of those records, the one that was written last at the end."""
        rows = self._rows(
            f"SELECT substr(id, -{VARIANT_DIGITS}), count(*), max(offset) FROM records "
            "WHERE topic = ? AND id >= ? AND id < ? GROUP BY 1 ORDER BY 3",
            topic,
            *_span(f"{topic}/{stream}/{session}"),
        )
        return [Version(*row) for row in rows]

    def offsets(self, topic: str, stream: str, session: str, variant: str) -> array[int]:
        """Where they lie, in the order in which they were written, 8 bytes each."""
        begin, end = _span(f"{topic}/{stream}/{session}")
        with self._reading() as connection:
            rows = connection.execute(
                "SELECT offset FROM records WHERE topic = ? AND id >= ? AND id < ? "
                f"AND substr(id, -{VARIANT_DIGITS}) = ?",
                (topic, begin, end, variant),
            )
            return array("q", sorted(offset for (offset,) in rows))

    def newest(self, topic: str, stream: str, most: int) -> list[StoredRecord]:
        """The stream's last records of a topic, in the order in which they were written."""
        rows = self._rows(
            f"SELECT {_RECORD} FROM records WHERE offset IN (SELECT offset FROM records "
            "WHERE topic = ? AND id >= ? AND id < ? ORDER BY offset DESC LIMIT ?) ORDER BY offset",
            topic,
            *_span(f"{topic}/{stream}"),
            most,
        )
        return [_stored(row) for row in rows]

    def end(self) -> int:
        """Offset of the newest record of all; 0 where there is none."""
        ((last,),) = self._rows("SELECT coalesce(max(offset), 0) FROM records")
        return int(last)

    def behind(self, offset: int, most: int) -> list[tuple[int, str, dict[str, str], int]]:
        """Offset, topic, headers and time of publishing of the next records, without values."""
        rows = self._rows(
            "SELECT offset, topic, headers, timestamp_us FROM records WHERE offset > ? "
            "ORDER BY offset LIMIT ?",
            offset,
            most,
        )
        return [(at, topic, json.loads(headers), us) for at, topic, headers, us in rows]

    def headers(self, offset: int) -> dict[str, str] | None:
        """Of the record that lies there; None where it was removed."""
        rows = self._rows("SELECT headers FROM records WHERE offset = ?", offset)
        return json.loads(rows[0][0]) if rows else None

    def records(self, offsets: Sequence[int]) -> list[StoredRecord]:
        """Those of them that are still there, in order; at most some hundreds at a time."""
        marks = ", ".join("?" * len(offsets))
        query = f"SELECT {_RECORD} FROM records WHERE offset IN ({marks}) ORDER BY offset"
        return [_stored(row) for row in self._rows(query, *offsets)]

    def record(self, topic: str, identity: str) -> StoredRecord | None:
        """The one of that id; None where there is none."""
        query = f"SELECT {_RECORD} FROM records WHERE topic = ? AND id = ?"
        return next((_stored(row) for row in self._rows(query, topic, identity)), None)

    def progress(self) -> list[Progress]:
        """Of every job of every stream, the one that was written last at the end."""
        rows = self._rows("SELECT value FROM progress ORDER BY timestamp_us")
        return [Progress.from_json(json.loads(value)) for (value,) in rows]

    def close(self) -> None:
        with self._lock:
            self._forget()

    def _distinct(self, prefix: str, topic: str = "") -> Iterator[str]:
        """What stands behind the prefix up to the next stroke, each once: a seek for each."""
        after, place = prefix, ("topic = ? AND " if topic else "")
        given = [topic] if topic else []
        column = "id" if topic else "topic"
        while rows := self._rows(
            f"SELECT {column} FROM records WHERE {place}{column} >= ? ORDER BY {column} LIMIT 1",
            *given,
            after,
        ):
            found = rows[0][0]
            if not found.startswith(prefix):
                return
            name = found[len(prefix) :].partition("/")[0]
            yield name
            after = f"{prefix}{name}{BEHIND}" if topic else f"{name}\0"

    def _rows(self, query: str, *values: str | int) -> list[tuple[Any, ...]]:
        with self._reading() as connection:
            return connection.execute(query, values).fetchall()

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        """A connection that nobody else has, to the file that lies there now."""
        connection, generation = self._borrowed()
        try:
            with translated(self._path):
                yield connection
        except BaseException:
            connection.close()
            raise
        with self._lock:
            if generation == self.generation:
                self._idle.append(connection)
                return
        connection.close()

    def _borrowed(self) -> tuple[Connection, int]:
        with self._lock:
            there = file_at(self._path)
            if there != self._file:
                self._forget()
                if self._file is not None:
                    self.generation += 1
                self._file = there
            if self._idle:
                return self._idle.pop(), self.generation
            generation = self.generation
        return open_for_reading(self._path), generation

    def _forget(self) -> None:
        with suppress(IndexError):
            while True:
                self._idle.pop().close()


def _span(prefix: str) -> tuple[str, str]:
    """From which id on, and up to which, those lie that begin with a prefix and a stroke."""
    return f"{prefix}/", f"{prefix}{BEHIND}"


def _stored(row: tuple[Any, ...]) -> StoredRecord:
    offset, topic, key, headers, value, timestamp_us = row
    return StoredRecord(Message(topic, key, json.loads(headers), value), timestamp_us, offset)
