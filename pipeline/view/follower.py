"""One thread that follows a database for all browsers: which records are new, how streams fare.

It reads headers, and values of events alone. Where the database goes away it waits for it, and
where another one lies there it begins anew.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from operators.errors import UsageError
from pipeline.client.fault import FAULTS
from pipeline.errors import NoDatabase, SinkError
from pipeline.records.message import wall_clock_us
from pipeline.records.payloads import time_us
from pipeline.records.topics import EVENTS
from pipeline.sinks.sqlite.index import RecordIndex
from pipeline.view.axes import Axes
from pipeline.view.series import Headers, Shelf
from pipeline.view.state import StreamState

log = logging.getLogger(__name__)

LOOK_S = 0.2
PAGE = 1000
RECENT = 3000  # records that are looked at first, to know how fast streams are
EVENTS_READ = 64  # of a stream, at the beginning
STANDS_S = 1.0  # between two looks at how far streams are committed

Hear = Callable[[str, str, int], None]
"""Stream, topic and offset of a record that is new."""


class Follower:
    """Of one database.

    Attributes:
        sink: `there`, `empty` or `away`, and why.
    """

    def __init__(
        self, shelf: Shelf, axes: Axes, *, clock_us: Callable[[], int] = wall_clock_us
    ) -> None:
        self.sink: tuple[str, str] = ("empty", "")
        self._index: RecordIndex = shelf.index
        self._shelf = shelf
        self._axes = axes
        self._clock_us = clock_us
        self._lock = threading.Lock()
        self._states: dict[str, StreamState] = {}
        self._hears: list[Hear] = []
        self._generation = -1
        self._read = 0
        self._stood_us = 0
        self._over = threading.Event()

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Follows until the end of the block."""
        thread = threading.Thread(target=self._follow, name="view", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._over.set()
            thread.join()

    @contextmanager
    def heard_by(self, hear: Hear) -> Iterator[None]:
        """Tell somebody of what is new until the end of the block; called from the thread."""
        with self._lock:
            self._hears.append(hear)
        try:
            yield
        finally:
            with self._lock:
                self._hears.remove(hear)

    def states(self) -> list[dict[str, Any]]:
        """Every stream's, by name."""
        now_us = self._clock_us()
        with self._lock:
            return [self._states[name].plain(now_us) for name in sorted(self._states)]

    def unseen(self, stream: str) -> dict[str, Any]:
        """What is said of a stream without a record."""
        return StreamState(stream).plain(self._clock_us())

    def look(self) -> None:
        """Take in what is new."""
        try:
            self._take_in()
        except NoDatabase as error:
            self.sink = ("away" if self._states else "empty", str(error))
        except (SinkError, UsageError) as error:
            self.sink = ("away", str(error))
        else:
            self.sink = ("there", "")

    def _follow(self) -> None:
        while not self._over.is_set():
            try:
                self.look()
            except Exception:  # the page goes on, and so does whoever looks
                log.exception("the records could not be looked at; tried again")
            self._over.wait(LOOK_S)

    def _take_in(self) -> None:
        end = self._index.end()
        if self._generation != self._index.generation or end < self._read:
            self._begin(end)
        self._look_where_streams_stand()
        while rows := self._index.behind(self._read, PAGE):
            for offset, topic, headers, published_us in rows:
                self._take(topic, offset, headers, published_us)
            self._read = rows[-1][0]

    def _begin(self, end: int) -> None:
        """Of streams whose last records lie before those that are read now, in their order."""
        first = max(0, end - RECENT)
        streams = {name: StreamState(name) for name in self._axes.streams()}
        for name, state in streams.items():
            for record in self._index.newest(EVENTS, name, EVENTS_READ):
                if record.offset <= first:
                    headers = record.message.headers
                    _tell(state, record.message.value, headers, record.timestamp_us)
            for topic in self._axes.topics_of(name):
                for record in self._index.newest(topic, name, 1):
                    if record.offset <= first:
                        with suppress(*FAULTS):
                            state.take(topic, record.message.headers, record.timestamp_us)
            state.forget_pauses()
        with self._lock:
            self._states = streams
        self._stood_us = 0
        self._generation = self._index.generation
        self._read = first

    def _look_where_streams_stand(self) -> None:
        now_us = self._clock_us()
        if now_us - self._stood_us < STANDS_S * 1e6:
            return
        self._stood_us = now_us
        found = self._index.progress()
        with self._lock:
            for progress in found:
                self._of(progress.stream).stands(progress)

    def _take(self, topic: str, offset: int, headers: Headers, published_us: int) -> None:
        stream = headers.get("ce_streamid")
        if not stream:
            return
        self._shelf.take(topic, offset, headers)
        values = self._index.records([offset]) if topic == EVENTS else []
        with self._lock:
            state, hears = self._of(stream), list(self._hears)
            with suppress(*FAULTS):  # somebody else's record in our topic
                for record in values:
                    _tell(state, record.message.value, headers, published_us)
                if topic != EVENTS:
                    state.take(topic, headers, published_us)
        for hear in hears:
            hear(stream, topic, offset)

    def _of(self, stream: str) -> StreamState:
        return self._states.setdefault(stream, StreamState(stream))


def _tell(state: StreamState, value: bytes, headers: Headers, published_us: int) -> None:
    with suppress(*FAULTS):  # somebody else's record in our topic
        event = json.loads(value)
        if isinstance(event, dict):
            state.told(event, time_us(headers["ce_ingesttime"]), published_us)
