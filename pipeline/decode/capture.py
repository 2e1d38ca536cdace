"""Reads a live source, one connection to it: what comes in, and how it ended.

Waits for nobody; what comes after it is the host's business.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from pipeline.decode.collector import Item
from pipeline.decode.connection import LiveReel, connected
from pipeline.decode.dating import Dating
from pipeline.decode.settling import Settling
from pipeline.decode.slate import Reached
from pipeline.decode.track import Sample, Track
from pipeline.errors import SourceError
from pipeline.media.hls import HlsReel
from pipeline.media.picture import Loss, Mark, Picture, Splice, Stall
from pipeline.media.reel import VideoReel
from pipeline.media.tape_reel import TapeReel
from pipeline.media.tape_writer import TapeWriter
from pipeline.media.transfer import Transfer
from pipeline.stream.chunk import Counts, End, Fault, Gap
from pipeline.stream.drift import DriftMeter
from pipeline.stream.spec import StreamSpec
from pipeline.stream.timeline import Anchor

ENDED = "the connection ended"


class Capture:
    """One connection: its frames, its losses, and how it ended.

    Attributes:
        reached: frames so far, and the mark of the last picture, which the next connection goes on
            behind. Of one moment: another thread that reads both loses no frame between them.
        finite: a file that waits for us, where a camera would not.
        settling: what was kept comes at once; it may wait a moment.
    """

    def __init__(
        self,
        spec: StreamSpec,
        wall_us: Callable[[], int],
        transfer: Transfer | None = None,
        *,
        connect: Callable[[StreamSpec, Transfer], LiveReel] = connected,
        tell: Callable[[Reached], None] = lambda _: None,
    ) -> None:
        """
        Args:
            spec: what to follow.
            wall_us: clock of anchors and ingest times, microseconds since the epoch; never set.
            transfer: how http(s) is read.
            connect: opens it; raises SourceError.
            tell: is told what is `reached`, before any frame of it is given out.
        """
        self._spec = spec
        self._wall_us = wall_us
        self._connect = connect
        self._tell = tell
        self._transfer = transfer or Transfer(live=True)
        self._track: Track | None = None
        self._lost = 0
        self._settling: Settling | None = None
        self._dating: Dating | None = None
        self._stalled = False
        self._resumed = False  # behind a frame of an earlier connection
        self._mark: Mark | None = None
        self._tape: TapeWriter | None = None
        self._untaped = ""  # why there is no tape
        self.reached: Reached = (Counts(), None)
        self.finite = False
        self.settling = False

    def items(self) -> Iterator[Item | None]:
        """What comes in, until the connection ends; None at each step that yields nothing."""
        stream = self._spec.stream
        try:
            reel = self._connect(self._spec, self._transfer)
        except SourceError as error:
            yield Fault(stream, "disconnected", str(error))
            return
        try:
            self.finite = reel.finite
            yield from self._follow(reel)
            self._resumed = isinstance(reel, HlsReel) and reel.resumed
            yield from self.rest()
            yield self._ended()
        except SourceError as error:
            yield from self.rest()
            yield Fault(stream, "disconnected", str(error))
        finally:
            reel.close()

    def rest(self) -> list[Item]:
        """What it still keeps, where nobody waits for more."""
        rest = self._settling.rest() if self._settling else []
        return self._dating.rest(rest) if self._dating else rest

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

    @property
    def taken(self) -> Counter[int]:
        """Its sampled frames so far: which rules took them -> how many."""
        return self._track.taken.copy() if self._track else Counter()

    def _ended(self) -> End | Fault:
        if not self.finite:
            return Fault(self._spec.stream, "disconnected", ENDED)
        decoded = self._track and self._track.decoded
        if not decoded and not self._resumed:  # else that frame was the last one
            return self.end("rejected")
        return self.end("degraded" if self._lost else "ok")

    def _follow(self, reel: LiveReel) -> Iterator[Item | None]:
        start_us = self._wall_us()
        live = not self.finite
        anchor = Anchor(start_us, "start-time")  # this machine's clock, no camera's
        # A source that waits for us brings frames when they are wanted.
        measured = live and reel.sender and self._spec.drop != "block"
        self._track = track = Track(
            self._spec,
            reel.time_base,
            anchor,
            str(start_us),
            live=live,
            drift=DriftMeter() if measured else None,
        )
        if self._spec.clock == "capture":
            was_full = (lambda: reel.full) if isinstance(reel, TapeReel) else None
            self._dating = Dating(self._spec.stream, track, reel.sender, start_us, was_full)
        settling: Settling | None = None
        now_us = self._begin_tape(reel, str(start_us))
        if isinstance(reel, TapeReel) and reel.state:
            track.live_restore(reel.state["track"])
            self._dating, live = None, False  # all that was decided long ago
        for picture in reel.pictures():
            local_us = now_us()
            if live and not settling and isinstance(picture, Picture):
                behind_us = int(reel.behind_s * 1_000_000)  # known with the first picture
                self._settling = settling = Settling(track, start_us, behind_us)
            zero_us = reel.sender.zero_us if reel.sender else None
            items = self._items_of(picture, track, reel.mark(), local_us, zero_us)
            self.reached = (self.counts, self._mark)
            self._tell(self.reached)
            if settling:
                items = settling.through(items, local_us, frame=isinstance(picture, Picture))
            if self._dating:
                settled = settling is None or settling.is_over
                items = self._dated(self._dating, items, local_us, settled=settled)
            self.settling = live and _frames(items) > 1
            yield from items
            yield from self._trouble_with_tape()
            yield None

    def _dated(
        self, dating: Dating, items: Sequence[Item], local_us: int, *, settled: bool
    ) -> list[Item]:
        was_over = dating.is_over
        ready = dating.through(items, local_us, settled=settled)
        if dating.full and not was_over and self._tape:
            self._tape.tell_full()
        return ready

    def _begin_tape(self, reel: LiveReel, session: str) -> Callable[[], int]:
        """The clock that its pictures go by: what is taped has one time for each packet."""
        if self._spec.tape is None or self.finite:
            return self._wall_us
        if not isinstance(reel, VideoReel):
            self._untaped = "playlists are not taped"
            return self._wall_us
        told = (self._spec.tape, self._spec.stream, session, self._spec.clock, self._wall_us)
        self._tape = tape = TapeWriter(*told, lambda: self._remembered(reel))
        reel.tape_on(tape)
        return lambda: tape.now_us

    def _remembered(self, reel: VideoReel) -> dict[str, Any] | None:
        """What the session goes by once its beginning is over; else None."""
        begins = not self._settling or not self._settling.is_over
        if begins or self._track is None or (self._dating and not self._dating.is_over):
            return None
        sender = reel.sender and reel.sender.snapshot()
        return {"track": self._track.live_snapshot(), "sender": sender}

    def _trouble_with_tape(self) -> Iterator[Fault]:
        """Told once; the stream goes on without."""
        why = self._tape.take_failure() if self._tape else self._untaped
        self._untaped = ""
        if why:
            yield Fault(self._spec.stream, "untaped", why)

    def _items_of(
        self,
        picture: Picture | Loss | Splice | Stall | None,
        track: Track,
        mark: Mark,
        local_us: int,
        zero_us: int | None,
    ) -> list[Item]:
        stream = self._spec.stream
        if isinstance(picture, Picture):
            self._mark = mark
            resumed, self._stalled = self._stalled, False
            followed = track.follow(picture, local_us, mark, zero_us)
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


def _frames(items: Sequence[Item]) -> int:
    return sum(isinstance(item, Sample) for item in items)
