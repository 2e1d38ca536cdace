"""The embedded sink: records and progress in one SQLite file, committed together.

Messages in -> rows; rows out -> records. One writer at a time; any number of readers, other
programs among them. Knows nothing of jobs beyond their progress rows.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from operators.result import canonical_json
from pipeline.records.commit import Commit
from pipeline.records.message import wall_clock_us
from pipeline.records.record import Message, StoredRecord
from pipeline.records.topics import require_topics
from pipeline.sinks.fence import claimed, is_done
from pipeline.sinks.sink import Receipt
from pipeline.sinks.sqlite.file import (
    BUSY_S,
    Connection,
    open_for_reading,
    open_for_writing,
    transaction,
    translated,
)
from pipeline.stream.progress import Progress

log = logging.getLogger(__name__)

PAGE_ROWS = 256  # a reader never holds a read transaction, nor more rows than these


class SqliteSink:
    """Writes one file. See `pipeline.sinks.sink.Sink`."""

    def __init__(
        self, path: Path, *, clock_us: Callable[[], int] = wall_clock_us, busy_s: float = BUSY_S
    ) -> None:
        """
        Args:
            path: the file; made with its folder where it is missing.
            clock_us: publishing time, microseconds since the epoch.
            busy_s: how long to wait for another process's transaction.

        Raises:
            UsageError: `path` is something else, or of a newer version.
            SinkError: it cannot be written.
        """
        self._path = path
        self._clock_us = clock_us
        self._busy_s = busy_s
        self._interrupted = threading.Event()
        self._connection = open_for_writing(path, busy_s=busy_s)

    def claim(self, jobs: Mapping[str, str], *, fresh: bool = False) -> dict[str, Progress]:
        with self._transaction():
            return {stream: self._take(jobs[stream], stream, fresh) for stream in jobs}

    def commit(self, commits: Sequence[Commit]) -> Receipt:
        receipt = Receipt()
        with self._transaction():
            for commit in commits:
                receipt += self._commit_one(commit)
        return receipt

    def publish(self, messages: Sequence[Message]) -> Receipt:
        with self._transaction():
            return self._insert(messages)

    def interrupt(self) -> None:
        self._interrupted.set()

    def close(self) -> None:
        """The last one to close takes the write-ahead log into the file."""
        self._connection.close()

    def _transaction(self) -> AbstractContextManager[None]:
        return transaction(self._connection, self._path, busy_s=self._busy_s, cut=self._interrupted)

    def _commit_one(self, commit: Commit) -> Receipt:
        progress = commit.progress
        stored = self._stored(progress.job, progress.stream)
        if is_done(stored, progress, newest_epoch=self._newest_epoch(progress.stream)):
            return Receipt(repeated=len(commit.messages))
        self._store(progress)
        return self._insert(commit.messages)

    def _insert(self, messages: Sequence[Message]) -> Receipt:
        receipt = Receipt()
        for message in messages:
            receipt += self._insert_one(message)
        return receipt

    def _insert_one(self, message: Message) -> Receipt:
        headers = canonical_json(dict(message.headers)).decode()
        row = (message.topic, message.key, headers, message.value, self._clock_us(), message.id)
        cursor = self._connection.execute(
            "INSERT INTO records(topic, key, headers, value, timestamp_us, id) "
            "VALUES(?, ?, ?, ?, ?, ?) ON CONFLICT(topic, id) DO NOTHING",
            row,
        )
        if cursor.rowcount:
            return Receipt(written=1)
        (value,) = self._connection.execute(
            "SELECT value FROM records WHERE topic = ? AND id = ?", (message.topic, message.id)
        ).fetchone()
        if value == message.value:
            return Receipt(repeated=1)
        log.error(
            "record %s is stored with another payload (%d bytes, now %d); the first one stays",
            message.id,
            len(value),
            len(message.value),
        )
        return Receipt(conflicting=1)

    def _take(self, job: str, stream: str, fresh: bool) -> Progress:
        known = None if fresh else self._stored(job, stream)
        if known and known.done:
            return known
        progress = claimed(known or Progress(job, stream), self._newest_epoch(stream))
        self._store(progress)
        return progress

    def _stored(self, job: str, stream: str) -> Progress | None:
        row = self._connection.execute(
            "SELECT value FROM progress WHERE job = ? AND stream = ?", (job, stream)
        ).fetchone()
        return Progress.from_json(json.loads(row[0])) if row else None

    def _newest_epoch(self, stream: str) -> int:
        """Over all jobs: the newest writer of a stream is the only one, and readers compare the
        epochs of a stream's records whatever their job."""
        query = "SELECT coalesce(max(epoch), 0) FROM progress WHERE stream = ?"
        newest: int = self._connection.execute(query, (stream,)).fetchone()[0]
        return newest

    def _store(self, progress: Progress) -> None:
        self._connection.execute(
            "INSERT OR REPLACE INTO progress VALUES(?, ?, ?, ?, ?, ?, ?, ?)",
            (
                progress.job,
                progress.stream,
                progress.epoch,
                progress.sequence,
                progress.position,
                progress.status,
                progress.to_json().decode(),
                self._clock_us(),
            ),
        )


class SqliteReader:
    """Reads one file, while it is being written or not. See `pipeline.sinks.sink.Reader`."""

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
        self._connection: Connection = open_for_reading(path)

    def topics(self) -> list[str]:
        with translated(self._path):
            rows = self._connection.execute("SELECT DISTINCT topic FROM records ORDER BY topic")
            return [topic for (topic,) in rows.fetchall()]

    def records(
        self, topics: Sequence[str] = (), *, from_beginning: bool = True, follow: bool = False
    ) -> Iterator[StoredRecord]:
        require_topics(topics, self.topics())
        end = self._last_offset()
        offset = 0 if from_beginning else end
        while True:
            page = self._page(topics, offset, None if follow else end)
            yield from page
            if page:
                offset = page[-1].offset
            elif not follow:
                return
            else:
                time.sleep(self._poll_s)

    def progress(self, job: str | None = None) -> Iterable[Progress]:
        with translated(self._path):
            rows = self._connection.execute(
                "SELECT value FROM progress WHERE ?1 IS NULL OR job = ?1 ORDER BY job, stream",
                (job,),
            ).fetchall()
        return [Progress.from_json(json.loads(value)) for (value,) in rows]

    def close(self) -> None:
        self._connection.close()

    def _last_offset(self) -> int:
        with translated(self._path):
            query = "SELECT coalesce(max(offset), 0) FROM records"
            last: int = self._connection.execute(query).fetchone()[0]
        return last

    def _page(self, topics: Sequence[str], offset: int, end: int | None) -> list[StoredRecord]:
        named = f"AND topic IN ({', '.join('?' * len(topics))})" if topics else ""
        bound = f"AND offset <= {end}" if end is not None else ""
        with translated(self._path):
            rows = self._connection.execute(
                "SELECT offset, topic, key, headers, value, timestamp_us FROM records "
                f"WHERE offset > ? {named} {bound} ORDER BY offset LIMIT {PAGE_ROWS}",
                (offset, *topics),
            ).fetchall()
        return [
            StoredRecord(Message(topic, key, json.loads(headers), value), timestamp_us, at)
            for at, topic, key, headers, value, timestamp_us in rows
        ]
