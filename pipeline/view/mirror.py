"""A cluster's newest records in a database beside the page, which is read as any other is.

Kafka -> SQLite, for as long as somebody looks. A page asks for what held at a moment, which a
broker can only find by reading.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import Empty, Full, Queue
from typing import Any

from pipeline.errors import SinkError
from pipeline.records.filter import Filter
from pipeline.records.jump import Jump
from pipeline.records.message import wall_clock_us
from pipeline.records.record import StoredRecord
from pipeline.secrets import mask
from pipeline.sinks.reading import Plan, Reading
from pipeline.sinks.sink import Reader
from pipeline.sinks.sqlite.sink import SqliteSink
from pipeline.sinks.uri import open_reader
from pipeline.stream.progress import Progress
from pipeline.view.scratch import scratch

log = logging.getLogger(__name__)

HOUR_US = 3600 * 1_000_000
BATCH = 256  # records that are written at once, and as many wait
PAUSE_S = 0.5  # between two looks for records
STANDS_S = 2.0  # between two looks at how streams stand, which also tells whether it is there
LABELS = "labels"


@contextmanager
def mirrored(
    uri: str, settings: Mapping[str, Any], since_us: int | None, keep_bytes: int
) -> Iterator[Mirror]:
    """Followed until the end of the block; the database is gone then.

    Args:
        uri: of the cluster.
        settings: further settings of its client, as of `open_reader`.
        since_us: records that were published then or later, microseconds since the epoch; None: of
            the last hour. Label sets all.
        keep_bytes: most of them, values and headers; the oldest go.

    Raises:
        UsageError: the URI or the settings are wrong.
        SinkError: the cluster does not answer, or the database cannot be written.
    """
    reader = open_reader(uri, settings=settings)
    labels = [LABELS] if LABELS in reader.topics() else []
    with scratch() as folder:
        mirror = Mirror(reader, folder / "records.db", keep_bytes)
        if labels:
            mirror.take([*reader.records(labels)])
        since_us = wall_clock_us() - HOUR_US if since_us is None else since_us
        with mirror.at_work(since_us):
            yield mirror


class Mirror:
    """
    Attributes:
        path: of the database.
    """

    def __init__(self, reader: Reader, path: Path, keep_bytes: int) -> None:
        self.path = path
        self._reader = reader
        self._sink = SqliteSink(path, retention={}, most_bytes=keep_bytes)
        self._read: Queue[StoredRecord] = Queue(BATCH)
        self._standing: list[Progress] = []
        self._over = threading.Event()
        self._away = ""
        self._failed = ""

    def away(self) -> str:
        """Why the cluster is not there; "" while it is."""
        return self._failed or self._away

    def take(self, records: Sequence[StoredRecord]) -> None:
        """Write them, and how streams stand; what is there already is not written again."""
        standing, self._standing = self._standing, []
        self._sink.copy(records, standing)

    @contextmanager
    def at_work(self, since_us: int) -> Iterator[None]:
        """Follows the cluster until the end of the block."""
        plan = Plan(where=Filter(since_us=since_us), follow=True, on_jump=_tell)
        reading = self._reader.read(plan)
        follow = threading.Thread(target=self._follow, args=[reading], name="mirror", daemon=True)
        write = threading.Thread(target=self._write, name="mirror writer", daemon=True)
        follow.start()
        write.start()
        # Asked when the cluster is away it hangs for a while, which the end does not wait for.
        threading.Thread(target=self._watch, name="mirror watch", daemon=True).start()
        try:
            yield
        finally:
            self._over.set()
            reading.interrupt()
            follow.join()
            write.join()
            reading.close()
            self._sink.close()

    def _follow(self, reading: Reading) -> None:
        """What is read waits for whoever writes, and is done when that one has taken it: nothing
        more is asked for while there is no room."""
        try:
            for record in reading:
                while not self._over.is_set():
                    with suppress(Full):
                        self._read.put(record, timeout=PAUSE_S)
                        break
                reading.done(record)
        except SinkError as error:
            self._fail(error)

    def _write(self) -> None:
        try:
            while not self._over.is_set():
                records = self._batch()
                if records or self._standing:
                    self.take(records)
        except SinkError as error:
            self._fail(error)

    def _batch(self) -> list[StoredRecord]:
        """What has been read, as soon as there is some."""
        records: list[StoredRecord] = []
        with suppress(Empty):
            records.append(self._read.get(timeout=PAUSE_S))
            while len(records) < BATCH:
                records.append(self._read.get_nowait())
        return records

    def _watch(self) -> None:
        while not self._over.wait(STANDS_S):
            try:
                self._standing = [*self._reader.progress()]
            except SinkError as error:
                self._away = mask(str(error))
            else:
                self._away = ""

    def _fail(self, error: SinkError) -> None:
        log.error("the page follows its sink no longer: %s", error)
        self._failed = f"it is followed no longer, start the page again: {mask(str(error))}"


def _tell(jump: Jump) -> None:
    log.warning("%s", jump)
