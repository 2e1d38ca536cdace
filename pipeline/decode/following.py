"""Plays files while they are written: a folder into which a recorder puts one after the other, or
one file that grows. It waits for what is not there yet, and loses nothing meanwhile.

Each file is a session of its own, named by the moment at which it was begun here; the cursor says
which file it is, so that another process goes on in it.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import asdict, replace
from functools import partial

from pipeline.decode.collector import Item
from pipeline.decode.segment import Begun, Segment
from pipeline.decode.segments import Segments
from pipeline.decode.track import Sample
from pipeline.media.retry import Wait, sleep
from pipeline.stream.chunk import Counts, Cursor, End, Fault
from pipeline.stream.spec import StreamSpec

LOOK_S = 1.0  # until a folder is looked at again
CLOSED_S = 2.0  # without a byte, where the next file has been begun
# Read from their beginning, these need nothing that is written when they are finished.
_GROWS = re.compile(r"\.(ts|m2ts|mts|mkv|webm|flv)$", re.IGNORECASE)


class Following:
    """One followed stream, from its cursor on, until it is stopped. A file alone has an end."""

    def __init__(
        self,
        spec: StreamSpec,
        wall_us: Callable[[], int],
        wait: Wait = sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """
        Args:
            spec: what to follow; its `url` is a folder or a file.
            wall_us: clock of the sessions and ingest times, microseconds since the epoch.
            wait: how to wait for what is not there yet.
            clock: seconds, monotonic.
        """
        self._spec = spec
        self._clock = clock
        self._wall_us = wall_us
        self._wait = wait
        self._segments = Segments(spec.url, clock)
        self._playing: Segment | None = None
        self._read: Segment | None = None  # to its end, as it was then
        self._before = Counts()  # of the files that were read
        self._session = 0
        self._damaged = False

    def items(self) -> Iterator[Item | None]:
        """Everything in order, the End last; None at each step that yields nothing."""
        name = ""
        if self._spec.cursor is not None:
            begun, cursor = _resumed(self._spec.cursor)
            name, self._before = begun.name, Counts(*begun.before)
            self._session = int(begun.session)
            yield from self._go_on(begun, cursor)
        while found := (yield from self._next(name)):
            name = found
            self._session = max(self._wall_us(), self._session + 1)
            before = (self._before.decoded, self._before.sampled, self._before.lost)
            yield from self._play(Begun(name, str(self._session), before), None)
        yield self.end("ok")

    def end(self, outcome: str) -> End:
        """The last entry: `ok` becomes what the losses make of it."""
        counts = self._counts
        outcome, detail = counts.judged(outcome, damaged=self._damaged)
        frames = (counts.decoded, counts.lost)
        return End(self._spec.stream, outcome, detail, *frames, sampled=counts.sampled)

    @property
    def _counts(self) -> Counts:
        playing = self._playing
        return self._before + (playing.end("stopped").counts if playing else Counts())

    def _go_on(self, begun: Begun, cursor: Cursor) -> Iterator[Item | None]:
        if os.path.exists(self._segments.path(begun.name)):
            yield from self._play(begun, cursor)
            return
        self._before = self._spec.counts
        yield self._fault(f"{begun.name} is gone; how much was left of it is not known")

    def _next(self, name: str) -> Generator[Item | None, None, str | None]:
        """Wait for the file behind this one; None: there will be none."""
        while True:
            found = self._segments.behind(name)
            yield from self._missed()
            if found or (self._segments.single and name):
                return found
            self._wait(LOOK_S)
            yield None

    def _missed(self) -> Iterator[Item]:
        """What nobody will read."""
        for missed in self._segments.take_missed():
            yield self._fault(f"{missed}, and is not read")
        if self._read is not None and (more := self._read.unread_bytes()):
            yield self._fault(
                f"{self._read.begun.name} has grown by {more} bytes after it was taken for whole, "
                "and they are not read"
            )
            self._read = None

    def _play(self, begun: Begun, cursor: Cursor | None) -> Iterator[Item | None]:
        path = self._segments.path(begun.name)
        spec = replace(self._spec, url=path, session=begun.session, cursor=cursor)
        playing = Segment(spec, self._wall_us, self._wait, begun)
        if self._segments.lead_s(begun.name) < CLOSED_S:
            if _GROWS.search(path):
                playing.grows(partial(self._is_over, begun.name), self._clock)
            else:
                yield from self._finished(begun.name)
        self._playing = playing
        for item in playing.items():
            if isinstance(item, Sample):
                yield replace(item, cursor=_placed(item.cursor, playing.begun))
            elif not isinstance(item, End):
                yield item
            elif not self._wait(0):  # it failed because it was to stop, which the caller sees too
                yield None
            elif item.outcome != "ok":
                yield self._fault(f"{begun.name}: {item.detail}")
        self._before, self._playing, self._read = self._counts, None, playing

    def _finished(self, name: str) -> Iterator[None]:
        """Wait until nobody writes it any more. Its date alone does not tell: another machine's
        clock may have made it."""
        size, since_s = -1, self._clock()
        while not self._is_over(name, self._clock() - since_s):
            if (found := self._segments.size(name)) != size:
                size, since_s = found, self._clock()
            self._wait(LOOK_S)
            yield None

    def _is_over(self, name: str, quiet_s: float) -> bool:
        if quiet_s >= self._spec.stall_s:
            return True
        return quiet_s >= CLOSED_S and self._segments.behind(name) is not None

    def _fault(self, detail: str) -> Fault:
        self._damaged = True
        return Fault(self._spec.stream, "decode", detail)


def _placed(cursor: Cursor, begun: Begun) -> Cursor:
    """A file's cursor as the stream's."""
    file = {**asdict(begun), "before": list(begun.before)}
    return {**_counted_on(cursor, begun, 1), "file": file}


def _resumed(cursor: Cursor) -> tuple[Begun, Cursor]:
    """The stream's cursor as its file's."""
    begun = Begun(**{**cursor["file"], "before": tuple(cursor["file"]["before"])})
    return begun, _counted_on(cursor, begun, -1)


def _counted_on(cursor: Cursor, begun: Begun, sign: int) -> Cursor:
    names = ("decoded", "sampled", "lost")
    return cursor | {
        name: cursor[name] + sign * before for name, before in zip(names, begun.before, strict=True)
    }
