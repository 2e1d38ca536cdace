"""Records of one topic along one axis of time of a stream: where they lie, in order.

Eight bytes a record; its headers are read when they are asked for. An axis is a recording's
session, or `live`: all connections of a live stream, one behind the other.
"""

from __future__ import annotations

import re
import threading
from array import array
from bisect import bisect_left, bisect_right, insort
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from pipeline.client.fault import FAULTS
from pipeline.records.payloads import time_us
from pipeline.sinks.sqlite.index import RecordIndex
from pipeline.stream.session import is_connection

LIVE = "live"
NO_SESSION = "-"  # in ids of what was told before a stream's first frame; it is on every axis
LONG_AGO_US = -(1 << 62)
KNOWN_HEADERS = 4096  # of a series that are remembered

_POSITION = re.compile(r"(-?\d+)?(?:\+(\d+))?")

Headers = Mapping[str, str]
Place = tuple[int, float, int]
"""Session (of a live stream), position and frames behind it: in the order of frames."""


@dataclass(frozen=True, slots=True)
class Axis:
    """Of one stream.

    Attributes:
        name: `live`, or the session of a recording.
    """

    stream: str
    name: str

    @classmethod
    def of(cls, stream: str, session: str) -> Axis:
        """Where a record of that session is shown."""
        return cls(stream, LIVE if is_connection(session) else session)


def session_of(headers: Headers) -> str:
    """As ids have it."""
    return headers.get("ce_session") or NO_SESSION


def place_of(session: str, position: str) -> Place:
    """Where a frame stands among those of its axis."""
    found = _POSITION.fullmatch(position)
    pts, further = found.groups() if found else (None, None)
    at = float("-inf") if pts is None else int(pts)
    return (int(session) if is_connection(session) else 0, at, int(further or 0))


class Series:
    """One topic of one axis, of each session the variant that was written last. From any thread."""

    def __init__(self, index: RecordIndex, topic: str, axis: Axis) -> None:
        """Looks where they lie."""
        self.topic = topic
        self.axis = axis
        self._index = index
        self._lock = threading.Lock()
        self._variants: dict[str, str] = {}
        self._headers: OrderedDict[int, Headers] = OrderedDict()
        self._offsets = self._found()

    def __len__(self) -> int:
        return len(self._offsets)

    @property
    def offsets(self) -> Sequence[int]:
        """Of the records, in order; not to be written to."""
        return self._offsets

    @property
    def variants(self) -> Mapping[str, str]:
        """Session -> variant."""
        return self._variants

    def extend(self, offset: int, headers: Headers) -> bool:
        """Take a new record in; False where it is of another variant: all is to be looked for
        again."""
        variant = headers["ce_variant"]
        with self._lock:
            if self._variants.setdefault(session_of(headers), variant) != variant:
                return False
            if not self._offsets or offset > self._offsets[-1]:
                self._offsets.append(offset)
            elif self._offsets[bisect_left(self._offsets, offset)] != offset:
                insort(self._offsets, offset)
            return True

    def headers(self, number: int) -> Headers:
        """Of a record by its number, from 0; {} where it has been removed since."""
        offset = self._offsets[number]
        with self._lock:
            known = self._headers.get(offset)
        if known is None:
            known = self._index.headers(offset) or {}
            with self._lock:
                self._headers[offset] = known
                if len(self._headers) > KNOWN_HEADERS:
                    self._headers.popitem(last=False)
        return known

    def time_us(self, number: int) -> int:
        """Event time of a record; of one that was removed the very beginning, as it was old, and so
        of one without a time, which somebody else wrote."""
        with suppress(*FAULTS):
            return time_us(self.headers(number)["ce_time"])
        return LONG_AGO_US

    def position(self, number: int) -> str:
        """Of a record's frame, as its id has it; `NO_SESSION` of what is no id of ours."""
        parts = self.headers(number).get("ce_id", "").split("/")
        return parts[3].partition(".")[0] if len(parts) > 3 else NO_SESSION

    def first_left(self) -> int:
        """Number of the first record that was not removed since; 0 where all were."""
        gone = bisect_left(range(len(self)), 1, key=lambda number: int(bool(self.headers(number))))
        return gone if gone < len(self) else 0

    def last_at(self, moment_us: int) -> int:
        """Number of the last record at or before a moment; -1 where there is none."""
        return bisect_right(range(len(self)), moment_us, key=self.time_us) - 1

    def first_at(self, moment_us: int) -> int:
        """Number of the first record at or behind a moment; the length where there is none."""
        return bisect_left(range(len(self)), moment_us, key=self.time_us)

    def last_to(self, place: Place) -> int:
        """Number of the last record of a frame up to that one; -1 where there is none."""
        return bisect_right(range(len(self)), place, key=self._place) - 1

    def _place(self, number: int) -> Place:
        headers = self.headers(number)
        if not headers:
            return (-1, float("-inf"), 0)
        return place_of(session_of(headers), self.position(number))

    def _found(self) -> array[int]:
        found: array[int] = array("q")
        for session in self._index.sessions(self.topic, self.axis.stream):
            if session != NO_SESSION and Axis.of(self.axis.stream, session) != self.axis:
                continue
            newest = self._index.versions(self.topic, self.axis.stream, session)[-1].variant
            self._variants[session] = newest
            found += self._index.offsets(self.topic, self.axis.stream, session, newest)
        return array("q", sorted(found)) if len(self._variants) > 1 else found


Key = tuple[str, Axis]
NEW_RECORDS = 4096  # of all streams, that may come while one series is looked for


class Shelf:
    """The series that somebody has looked at of late. From any thread."""

    def __init__(self, index: RecordIndex, most_records: int = 8_000_000) -> None:
        """
        Args:
            index: of the database.
            most_records: that all of them hold together, 8 bytes each; one may be longer.
        """
        self.index = index
        self._most_records = most_records
        self._lock = threading.Lock()
        self._series: OrderedDict[Key, Series] = OrderedDict()
        self._generation = index.generation
        self._taken = 0

    def series(self, topic: str, axis: Axis) -> Series:
        """One of them, looked for where nobody has looked at it yet."""
        key = (topic, axis)
        with self._lock:
            self._check()
            known = self._series.get(key)
            if known is not None:
                self._series.move_to_end(key)
                return known
        end = self.index.end()
        made = Series(self.index, topic, axis)
        with self._lock:
            known = self._series.setdefault(key, made)
            self._bound()
        for offset, headers in self._since(key, end):
            known.extend(offset, headers)
        return known

    def take(self, topic: str, offset: int, headers: Headers) -> None:
        """A new record came."""
        with self._lock:
            self._check()
            for key in [key for key in self._series if _belongs(key, topic, headers)]:
                if not self._series[key].extend(offset, headers):
                    del self._series[key]
            self._taken += 1
            if self._taken % NEW_RECORDS == 0:
                self._bound()

    def _since(self, key: Key, end: int) -> Iterator[tuple[int, Headers]]:
        """Those of them that came while they were looked for."""
        for offset, topic, headers, _ in self.index.behind(end, NEW_RECORDS):
            if _belongs(key, topic, headers):
                yield offset, headers

    def _check(self) -> None:
        if self._generation != self.index.generation:
            self._series.clear()
            self._generation = self.index.generation

    def _bound(self) -> None:
        while len(self._series) > 1 and self._held() > self._most_records:
            self._series.popitem(last=False)

    def _held(self) -> int:
        return sum(map(len, self._series.values()))


def _belongs(key: Key, topic: str, headers: Headers) -> bool:
    """Whether a record is one of that series."""
    of_topic, axis = key
    if topic != of_topic or headers.get("ce_streamid") != axis.stream:
        return False
    session = session_of(headers)
    mine = session == NO_SESSION or Axis.of(axis.stream, session) == axis
    return mine and "ce_variant" in headers
