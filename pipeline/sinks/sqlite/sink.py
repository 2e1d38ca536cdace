"""The embedded sink: records and progress in one SQLite file, committed together.

Messages in -> rows. One writer at a time; any number of readers, other programs among them. Knows
nothing of jobs beyond their progress rows.
"""

from __future__ import annotations

import json
import logging
import sqlite3
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from pathlib import Path

from operators.result import canonical_json
from pipeline.errors import SinkError
from pipeline.records.commit import Commit
from pipeline.records.message import wall_clock_us
from pipeline.records.record import Message, StoredRecord
from pipeline.sinks.fence import claimed, is_done
from pipeline.sinks.sink import Receipt
from pipeline.sinks.sqlite.file import (
    BUSY_S,
    open_for_writing,
    transaction,
)
from pipeline.sinks.sqlite.kept import count, is_counted, lay_out, shrink, sweep
from pipeline.sinks.sqlite.retention import Retention
from pipeline.stream.progress import Progress

log = logging.getLogger(__name__)

SWEEP_US = 1_000_000  # between two looks for what is kept no longer
SWEEPS = 10  # transactions that one look may take


class SqliteSink:
    """Writes one file. See `pipeline.sinks.sink.Sink`."""

    def __init__(
        self,
        path: Path,
        *,
        retention: Retention | None = None,
        most_bytes: int | None = None,
        clock_us: Callable[[], int] = wall_clock_us,
        busy_s: float = BUSY_S,
    ) -> None:
        """
        Args:
            path: the file; made with its folder where it is missing.
            retention: how much of its topics is kept from now on; None: what was said before
                stands, and nothing is removed by this writer.
            most_bytes: with a retention: of all its topics together, the oldest go; None: of each
                by itself alone.
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
        self._retention = retention
        self._most_bytes = most_bytes
        self._sizes: Counter[str] = Counter()  # topic -> bytes that this transaction writes
        self._sweep_us = 0  # when to look next for what is kept no longer
        if retention is not None:
            with self._transaction():
                lay_out(self._connection, retention)

    def claim(self, jobs: Mapping[str, str], *, fresh: bool = False) -> dict[str, Progress]:
        with self._transaction():
            return {stream: self._take(jobs[stream], stream, fresh) for stream in jobs}

    def resume(self, held: Sequence[Progress]) -> dict[str, Progress]:
        with self._transaction():
            ours = [one for one in held if self._newest_epoch(one.stream) == one.epoch]
            stored = {one.stream: self._stored(one.job, one.stream) for one in ours}
        return {stream: progress for stream, progress in stored.items() if progress}

    def commit(self, commits: Sequence[Commit]) -> Receipt:
        receipt = Receipt()
        with self._transaction():
            self._sizes.clear()
            for commit in commits:
                receipt += self._commit_one(commit)
            self._count()
        self._sweep()
        return receipt

    def publish(self, messages: Sequence[Message]) -> Receipt:
        with self._transaction():
            self._sizes.clear()
            receipt = self._insert(messages)
            self._count()
        return receipt

    def copy(self, records: Sequence[StoredRecord], standing: Iterable[Progress] = ()) -> Receipt:
        """Take over what another sink has: its records with the times that they were published at
        there, each once, and how its streams stand. Errors as of `publish`."""
        receipt = Receipt()
        with self._transaction():
            self._sizes.clear()
            for record in records:
                receipt += self._insert_one(record.message, record.timestamp_us)
            for progress in standing:
                self._store(progress)
            self._count()
        self._sweep()
        return receipt

    def interrupt(self) -> None:
        self._interrupted.set()

    def close(self) -> None:
        """Take the write-ahead log into the file, also where somebody has that open: who reads, or
        a writer that stands still until it is killed. The last one to close removes it."""
        with suppress(sqlite3.Error):  # what cannot be taken over now stays in the log
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self._connection.close()

    def _count(self) -> None:
        if is_counted(self._connection):
            count(self._connection, self._sizes)

    def _sweep(self) -> None:
        """Behind a commit, which no trouble with this undoes; the rest goes behind a later one."""
        now_us = self._clock_us()
        if not (self._retention or self._most_bytes) or now_us < self._sweep_us:
            return
        self._sweep_us = now_us + SWEEP_US
        with suppress(SinkError):
            for _ in range(SWEEPS):
                with self._transaction():
                    more = sweep(self._connection, now_us)
                    if self._most_bytes is not None:
                        more |= shrink(self._connection, self._most_bytes)
                if not more:
                    return
        self._sweep_us = now_us

    def _transaction(self) -> AbstractContextManager[None]:
        return transaction(self._connection, self._path, busy_s=self._busy_s, cut=self._interrupted)

    def _commit_one(self, commit: Commit) -> Receipt:
        progress = commit.progress
        stored = self._stored(progress.job, progress.stream)
        newest = self._newest_epoch(progress.stream)
        if is_done(stored, progress, newest_epoch=newest, skips=commit.skips):
            return Receipt(repeated=len(commit.messages))
        self._store(progress)
        return self._insert(commit.messages)

    def _insert(self, messages: Sequence[Message]) -> Receipt:
        receipt = Receipt()
        for message in messages:
            receipt += self._insert_one(message, self._clock_us())
        return receipt

    def _insert_one(self, message: Message, published_us: int) -> Receipt:
        headers = canonical_json(dict(message.headers)).decode()
        row = (message.topic, message.key, headers, message.value, published_us, message.id)
        cursor = self._connection.execute(
            "INSERT INTO records(topic, key, headers, value, timestamp_us, id) "
            "VALUES(?, ?, ?, ?, ?, ?) ON CONFLICT(topic, id) DO NOTHING",
            row,
        )
        if cursor.rowcount:
            self._sizes[message.topic] += len(message.value) + len(headers)
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
            extra={"stream": message.headers.get("ce_streamid", "")},
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
