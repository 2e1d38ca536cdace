"""Plays a tape: the connections of a live stream, one after the other, as they were captured.

Everything goes the way that it went then, but for time: nothing is waited for and nothing dropped.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import cast

from pipeline.decode.breaks import Breaks
from pipeline.decode.capture import ENDED, Capture
from pipeline.decode.collector import Item
from pipeline.decode.track import Sample
from pipeline.errors import SourceError
from pipeline.media.retry import Wait, sleep
from pipeline.media.tape import Segment, late_begin, sessions_of
from pipeline.media.tape_reel import TapeReel
from pipeline.stream.chunk import Counts, Cursor, End, Fault, Gap
from pipeline.stream.spec import StreamSpec, TimeSource


class Taped:
    """One taped stream, from its cursor to the end of the tape."""

    def __init__(self, spec: StreamSpec, _wall_us: Callable[[], int], _wait: Wait = sleep) -> None:
        """`spec.url` is the tape's folder; all times are the tape's own."""
        self._spec = spec
        self._cursor = spec.cursor
        self._capture: Capture | None = None
        self._before = spec.counts  # of the sessions before
        self._damaged = False
        self._breaks = Breaks(spec)

    def items(self) -> Iterator[Item | None]:
        """Everything in order, the End last; None at each step that yields nothing."""
        try:
            yield from self._play()
        except SourceError as error:
            if not error.retryable:
                raise
            # No fault of the tape's: a later run goes on from there.
            outcome = "degraded" if self._counts.decoded else "rejected"
            yield replace(self.end(outcome), detail=str(error), unfinished=True)
        else:
            yield self.end("ok")

    def _play(self) -> Iterator[Item | None]:
        cursor, sessions = self._cursor, sessions_of(Path(self._spec.url))
        if cursor and cursor["session"] not in {segments[0].session for segments in sessions}:
            told = "is not on the tape any more; how much of it was left is not known"
            yield self._fault(f"session {cursor['session']} {told}")
        for segments in sessions:
            behind = int(segments[0].session) - int(cursor["session"]) if cursor else 1
            if behind == 0 and cursor:
                yield from self._go_on(segments, cursor)
            elif behind > 0:
                yield from self._counted(self._session(segments))

    def end(self, outcome: str) -> End:
        """The last entry: `ok` becomes what the losses make of it. The tape may grow, and a later
        run goes on; what is held against a run is over where that was."""
        counts = self._counts
        outcome, detail = counts.judged(outcome, damaged=self._damaged)
        frames = (counts.decoded, counts.lost)
        return End(
            self._spec.stream,
            outcome,
            detail,
            *frames,
            unfinished=self._spec.breaks is None,
            sampled=counts.sampled,
        )

    @property
    def _counts(self) -> Counts:
        here = self._capture.counts if self._capture else Counts()
        return self._before + here + Counts(sampled=-self._breaks.left_out)

    def _go_on(self, segments: Sequence[Segment], cursor: Cursor) -> Iterator[Item | None]:
        """Behind the cursor's frame; up to there it is computed again, and not given out."""
        items = self._session(segments)
        try:
            sample = yield from self._found(items, cursor["position"])
        except SourceError:
            self._capture = None  # what was computed is in no count
            raise
        if sample is None:
            self._capture = None
            yield self._fault(f"frame {cursor['position']} is not on the tape any more")
            if late_begin(segments):  # all that is left lies behind it
                yield from self._counted(self._session(segments))
            return
        assert self._capture
        counts = self._spec.counts
        self._before = Counts(
            *(
                there - here
                for there, here in (
                    (counts.decoded, sample.cursor["decoded"]),
                    (counts.sampled, sample.cursor["sampled"]),
                    (counts.lost, self._capture.counts.lost),
                )
            )
        )
        yield from self._counted(items)

    def _found(
        self, items: Iterator[Item | None], position: str
    ) -> Generator[None, None, Sample | None]:
        """A frame among them; what is left of them lies behind it."""
        for item in items:
            yield None
            if isinstance(item, Sample) and item.info.position == position:
                return item
        return None

    def _counted(self, items: Iterator[Item | None]) -> Iterator[Item | None]:
        """A session's items with the stream's counts in their cursors, without what is left out."""
        for item in items:
            if not isinstance(item, Sample):
                yield item
            elif self._breaks.takes(item.info):
                yield replace(item, cursor=self._placed(item))
            elif self._breaks.begun:
                yield Gap(self._spec.stream, "dropped")
        self._before, self._capture = self._counts, None
        self._breaks.left_out = 0

    def _placed(self, sample: Sample) -> Cursor:
        before, own = self._before, sample.cursor
        return own | {
            "session": sample.info.session,
            "decoded": own["decoded"] + before.decoded,
            "sampled": own["sampled"] + before.sampled - self._breaks.left_out,
            "lost": self._counts.lost,
        }

    def _session(self, segments: Sequence[Segment]) -> Iterator[Item | None]:
        name = f"session {segments[0].session}"
        begin = late_begin(segments)
        if begin and begin not in self._spec.late_begins:
            yield self._fault(
                f"{name}: more of it has gone since this run was planned; run it again"
            )
            return
        if (gone := segments[0].number - 1) > 0:
            what = "the next one only warms the decoder up"
            yield self._fault(f"{name}: {gone} segments at its beginning are gone, and {what}")
        try:
            reel = self._reel(segments)
        except SourceError as error:
            yield self._fault(f"{name}: {error}")
            return
        if reel.keyframes and any(rule.mode != "keyframes" for rule in self._spec.samplings):
            told = "its run decoded key frames alone, so no rule can take others here"
            told += ", and no shots are told of it" if self._spec.shots else ""
            yield Fault(self._spec.stream, "decode", f"{name}: {told}")
        spec = replace(self._spec, cursor=None, clock=cast("TimeSource", reel.clock))
        spec = replace(spec, shots=None) if reel.keyframes else spec
        self._capture = capture = Capture(spec, reel.now_us, connect=lambda *_: reel)
        for item in capture.items():
            if reel.failed:  # what is given out now was not decided on as it would have been
                raise reel.failed
            if not isinstance(item, Fault) or item.kind != "disconnected":
                yield item
            elif item.detail != ENDED:
                yield self._fault(f"{name}: {item.detail}")
        if reel.broken:
            yield self._fault(f"{name}: {reel.broken}")

    def _reel(self, segments: Sequence[Segment]) -> TapeReel:
        spec = self._spec
        return TapeReel(
            segments,
            max_pixels=spec.max_pixels,
            damaged=spec.damaged,
            deinterlace=spec.deinterlace,
            device=spec.decode,
        )

    def _fault(self, detail: str) -> Fault:
        self._damaged = True
        return Fault(self._spec.stream, "decode", detail)
