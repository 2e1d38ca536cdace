"""Marks of one topic along one axis, read once and then as they come."""

from __future__ import annotations

import threading
from collections.abc import Callable

from pipeline.records.record import StoredRecord
from pipeline.sinks.sqlite.index import RecordIndex
from pipeline.view.marks import Mark, mark_of
from pipeline.view.series import Axis, Series

MOST = 50_000  # the newest
PAGE = 256

Times = Callable[[Axis], Callable[[StoredRecord], int]]


class Marked:
    """From any thread.

    Attributes:
        marks: in the order of their records; replaced and never changed where it is read.
    """

    def __init__(self, index: RecordIndex, series: Series, times: Times) -> None:
        """
        Args:
            index: of the database.
            series: the topic.
            times: what gives records that name a frame its event time, of an axis.
        """
        self.series = series
        self.marks: list[Mark] = []
        self._index = index
        self._times = times
        self._lock = threading.Lock()
        self._left_out = max(0, len(series) - MOST)
        self._read = self._left_out

    def catch_up(self) -> int:
        """Read what is new; how many are left out because they are too old."""
        with self._lock:
            if self._read == len(self.series):
                return self._left_out
            found, read = list(self.marks), self._read
            time_of = self._times(self.series.axis)
            while read < len(self.series):
                page = self.series.offsets[read : read + PAGE]
                read += len(page)
                marks = (mark_of(one, time_of) for one in self._index.records(page))
                found += [one for one in marks if one]
            self._read = read
            if len(found) > len(self.marks):
                self._left_out += max(0, len(found) - MOST)
                self.marks = found[-MOST:]
            return self._left_out
