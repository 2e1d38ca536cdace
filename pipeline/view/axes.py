"""Which axes of time a stream has, and which topic its frames are counted by."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from operators.errors import UsageError
from pipeline.records.filter import unknown_stream
from pipeline.records.payloads import time_us
from pipeline.records.record import StoredRecord
from pipeline.records.topics import OF_EVERY_RUN
from pipeline.view.series import LIVE, NO_SESSION, Axis, Series, Shelf, place_of, session_of

NO_POSITION = "-"  # in ids of what was told before a session's first frame
OF_SPANS = (  # not of single frames
    *("action", "action.episodes", "tamper.episodes", "zones.episodes", "zones.alerts"),
    *("tracks.zones", "lines.crossed", "unchanged", "shots", "labels", *OF_EVERY_RUN),
)
NO_FRAME = "none of its frames is in the sink yet"


TimeOf = Callable[[StoredRecord], int]
"""A record -> its event time, microseconds since the epoch."""


class NotThere(UsageError):
    """What is asked for is not in the sink; the text says what is."""


@dataclass(frozen=True, slots=True)
class Extent:
    """An axis, and what it holds.

    Attributes:
        from_us, to_us: event times of its first and last frame.
        clock: what event time goes by.
        records: of the topic that its frames are counted by.
        last_offset: of its newest record.
    """

    axis: Axis
    from_us: int
    to_us: int
    clock: str
    records: int
    last_offset: int

    def plain(self) -> dict[str, Any]:
        """JSON values."""
        return {
            "axis": self.axis.name,
            "from_us": self.from_us,
            "to_us": self.to_us,
            "clock": self.clock,
            "records": self.records,
        }


class Axes:
    """Of all streams of a sink."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._index = shelf.index

    def streams(self) -> list[str]:
        """Everyone that has records, or is to have some; sorted."""
        found = {one.stream for one in self._index.progress()}
        for topic in self.topics():
            found |= set(self._index.streams(topic))
        return sorted(found)

    def topics(self) -> list[str]:
        """That hold records of streams."""
        return [topic for topic in self._index.topics() if topic != "labels"]

    def topics_of(self, stream: str) -> list[str]:
        """Of the stream's records.

        Raises:
            NotThere: nobody has written such a stream.
        """
        found = [topic for topic in self.topics() if self._index.has(topic, stream)]
        if not found and stream not in (known := self.streams()):
            raise NotThere(unknown_stream(stream, known))
        return found

    def extents(self, stream: str) -> list[Extent]:
        """Its axes, the one that was written last at the end."""
        topics = self.topics_of(stream)
        names = {
            Axis.of(stream, session)
            for topic in topics
            for session in self._index.sessions(topic, stream)
            if session != NO_SESSION
        }
        found = [self._extent(axis, topics) for axis in names]
        return sorted((one for one in found if one), key=lambda one: one.last_offset)

    def frames(self, axis: Axis) -> Series:
        """The topic that knows most of its frames.

        Raises:
            NotThere: there is none.
        """
        found = self._most(axis, self.topics_of(axis.stream))
        if found is None:
            axes = ", ".join(one.axis.name for one in self.extents(axis.stream))
            raise NotThere(
                f"{axis.stream} has no frame on axis {axis.name!r}; "
                + (f"there are: {axes}" if axes else NO_FRAME)
            )
        return found

    def times(self, axis: Axis) -> TimeOf:
        """What gives a record the event time of the last frame up to the one that it names: events
        and dead letters have no time of their own. Where there is none, when it was noticed; of a
        recording, whose time is another one, the beginning."""
        frames = self._most(axis, self.topics_of(axis.stream))

        def time_of(record: StoredRecord) -> int:
            headers, position = record.message.headers, record.message.position
            if frames is not None and position != NO_POSITION:
                number = frames.last_to(place_of(session_of(headers), position))
                if number >= 0:
                    return frames.time_us(number)
            if frames is None or axis.name == LIVE:
                return time_us(headers["ce_ingesttime"])
            return frames.time_us(frames.first_left())

        return time_of

    def _most(self, axis: Axis, topics: list[str]) -> Series | None:
        every = [self._shelf.series(topic, axis) for topic in topics if topic not in OF_SPANS]
        longest = max(every, key=len, default=None)
        return longest if longest is not None and len(longest) else None

    def _extent(self, axis: Axis, topics: list[str]) -> Extent | None:
        frames = self._most(axis, topics)
        if frames is None:
            return None
        last = len(frames) - 1
        return Extent(
            axis,
            frames.time_us(frames.first_left()),
            frames.time_us(last),
            frames.headers(last).get("ce_clock", ""),
            len(frames),
            frames.offsets[last],
        )
