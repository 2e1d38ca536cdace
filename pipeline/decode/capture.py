"""Reads a live source without ever waiting for anybody: a thread decodes, a bounded buffer keeps.

One connection only; what comes after it is the host's business.
"""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator

from pipeline.chunk import CHUNK_FRAMES, Counts, End, Entry, Fault, Gap
from pipeline.decode.assembly import Item, entries
from pipeline.decode.settling import Settling
from pipeline.decode.spec import StreamSpec
from pipeline.decode.track import Sample, Track
from pipeline.errors import SourceError
from pipeline.media.hls import HlsReel
from pipeline.media.opening import open_reel
from pipeline.media.picture import Loss, Mark, Picture, Splice, Stall
from pipeline.media.reel import VideoReel
from pipeline.media.transfer import Transfer
from pipeline.timeline import Anchor


class Capture:
    """One connection: its frames, its losses, and how it ended."""

    def __init__(
        self, spec: StreamSpec, wall_us: Callable[[], int], transfer: Transfer | None = None
    ) -> None:
        """
        Args:
            spec: what to follow.
            wall_us: clock of anchors and ingest times, microseconds since the epoch; never set.
            transfer: how http(s) is read.
        """
        self._spec = spec
        self._wall_us = wall_us
        self._transfer = transfer or Transfer(live=True)
        self._track: Track | None = None
        self._lost = 0
        self._settling: Settling | None = None
        self._stalled = False
        self.finite = False  # a file that waits for us, where a camera would not
        self.settling = False  # what was kept comes at once; it may wait a moment

    def items(self) -> Iterator[Item | None]:
        """What comes in, until the connection ends; None at each step that yields nothing."""
        stream = self._spec.stream
        try:
            reel = open_reel(
                self._spec.url,
                keyframes=all(rule.mode == "keyframes" for rule in self._spec.samplings),
                max_pixels=self._spec.max_pixels,
                damaged=self._spec.damaged,
                short_side=self._spec.short_side,
                timeout_s=self._spec.stall_s * 0.4,  # opening takes two; RTSP doubles a read's
                transfer=self._transfer,
                stall_s=self._spec.stall_s,
                shown=self._spec.cursor["mark"] if self._spec.cursor else None,
            )
        except SourceError as error:
            yield Fault(stream, "disconnected", str(error))
            return
        try:
            self.finite = reel.finite
            yield from self._follow(reel)
            yield from self.rest()
            yield self._ended()
        except SourceError as error:
            yield from self.rest()
            yield Fault(stream, "disconnected", str(error))
        finally:
            reel.close()

    def rest(self) -> list[Item]:
        """What it still keeps, where nobody waits for more."""
        return self._settling.rest() if self._settling else []

    def end(self, outcome: str) -> End:
        """The last entry of a stream that was stopped or is over; counts are this connection's."""
        counts = self.counts
        frames = (counts.decoded, counts.lost)
        return End(self._spec.stream, outcome, "", *frames, sampled=counts.sampled)

    @property
    def counts(self) -> Counts:
        """Of this connection, so far."""
        track = self._track
        return Counts(track.decoded, track.sampled, self._lost) if track else Counts()

    def _ended(self) -> End | Fault:
        if not self.finite:
            return Fault(self._spec.stream, "disconnected", "the connection ended")
        if not self._track or not self._track.decoded:
            return self.end("rejected")
        return self.end("degraded" if self._lost else "ok")

    def _follow(self, reel: VideoReel | HlsReel) -> Iterator[Item | None]:
        start_us = self._wall_us()
        behind_us = int(reel.behind_s * 1_000_000)
        # This machine's clock, no camera's.
        anchor = Anchor(start_us - behind_us, "start-time")
        live = not self.finite
        self._track = track = Track(self._spec, reel.time_base, anchor, str(start_us), live=live)
        self._settling = settling = Settling(track, start_us, behind_us) if live else None
        for picture in reel.pictures():
            local_us = self._wall_us()
            items = self._items_of(picture, track, reel.mark(), local_us)
            if settling:
                items = settling.through(items, local_us, came=isinstance(picture, Picture))
            self.settling = live and len(items) > 2  # more than one picture's
            yield from items
            yield None

    def _items_of(
        self,
        picture: Picture | Loss | Splice | Stall | None,
        track: Track,
        mark: Mark,
        local_us: int,
    ) -> list[Item]:
        stream = self._spec.stream
        if isinstance(picture, Picture):
            resumed, self._stalled = self._stalled, False
            followed = track.follow(picture, local_us, mark)
            return [Gap(stream, "resumed"), *followed] if resumed else [*followed]
        if isinstance(picture, Splice):
            track.splice()
            return [Gap(stream, picture.reason)]
        if isinstance(picture, Stall):
            self._stalled = True
            return [Fault(stream, "stalled", picture.detail)]
        if isinstance(picture, Loss):
            if not picture.frames:
                raise SourceError(picture.detail)  # no frame is lost: the connection is
            self._lost += picture.frames
            return [Fault(stream, "decode", picture.detail, picture.frames)]
        return []


class Buffer:
    """Keeps the newest frames; what is dropped becomes one Gap where it was. Thread-safe."""

    def __init__(self, stream: str, frames: int, chunk_ms: float, *, rules: int = 1) -> None:
        """
        Args:
            stream: its id.
            frames: how many are kept at most.
            chunk_ms: a chunk waits so long for more, counted from its first item.
            rules: how many sampling rules there are.
        """
        self._stream = stream
        self._room = frames
        self._chunk_s = chunk_ms / 1000
        self._items: deque[Item] = deque()
        self._frames = 0
        self.sampled = 0  # frames that were put in
        self._rules = rules
        self._dropped: Counter[int] = Counter()  # before the first item: who took it -> frames
        self._since_s = 0.0
        self._closed = False
        self._changed = threading.Condition()

    def put(self, item: Item) -> None:
        """Add the newest item; without effect once closed."""
        with self._changed:
            if self._closed:
                return
            if not self._items:
                self._since_s = time.monotonic()
            self._items.append(item)
            self._frames += isinstance(item, Sample)
            self.sampled += isinstance(item, Sample)
            while self._frames > self._room:
                self._drop()
            self._changed.notify_all()

    def wait_for_room(self, timeout_s: float | None = None) -> None:
        """Until one more frame would drop none, or the buffer is closed; at most so long."""
        with self._changed:
            self._changed.wait_for(lambda: self._frames < self._room or self._closed, timeout_s)

    def close(self) -> None:
        """Nothing more will be put in."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def take(self, timeout_s: float) -> tuple[Entry, ...] | None:
        """The next chunk's entries; None where it is not full in time, () at the very end."""
        deadline_s = time.monotonic() + timeout_s
        with self._changed:
            while not (self._ready() or self._closed):
                left_s = deadline_s - time.monotonic()
                if left_s <= 0:
                    return None
                late_s = self._since_s + self._chunk_s - time.monotonic()
                self._changed.wait(min(left_s, max(late_s, 0.001)) if self._items else left_s)
            return entries(self._next())

    def _ready(self) -> bool:
        if not self._items:
            return False
        late = time.monotonic() - self._since_s >= self._chunk_s
        return late or self._frames >= CHUNK_FRAMES

    def _next(self) -> list[Item]:
        items: list[Item] = []
        if self._dropped:
            items.append(self._gap())
            self._dropped.clear()
        frames = 0
        while self._items and frames < CHUNK_FRAMES:
            frames += isinstance(self._items[0], Sample)
            items.append(self._items.popleft())
        self._frames -= frames
        self._since_s = time.monotonic()
        self._changed.notify_all()
        return items

    def _gap(self) -> Gap:
        by_rule = tuple(
            sum(frames for taken, frames in self._dropped.items() if taken >> rule & 1)
            for rule in range(self._rules)
        )
        total = self._dropped.total()
        return Gap(self._stream, "dropped", total, by_rule if self._rules > 1 else ())

    def _drop(self) -> None:
        """The oldest frame goes; what it stood behind stays."""
        kept: list[Item] = []
        while not isinstance(oldest := self._items.popleft(), Sample):
            kept.append(oldest)
        self._items.extendleft(reversed(kept))
        self._frames -= 1
        self._dropped[oldest.taken] += 1
