"""One stream on its engine: decode entries in, runs of frames and commits out.

Knows the order of things within a stream (gaps, sessions, the end) and keeps what a resume needs.
Knows nothing of batches, clocks, processes or sinks.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace

from operators.frames import FrameInfo
from operators.operator import Operator
from operators.result import Result
from pipeline.engine.account import Account
from pipeline.engine.chunk_queue import QUEUED_CHUNKS, ChunkQueue
from pipeline.engine.hole import refuse_hole
from pipeline.engine.latency import FrameTimes
from pipeline.engine.memories import Memories
from pipeline.engine.outbox import Outbox
from pipeline.engine.placement import Placement
from pipeline.engine.reasons import brief, end_reason
from pipeline.engine.shortfall import Shortfall
from pipeline.errors import RecordsTooLarge
from pipeline.records.commit import Commit
from pipeline.records.message import Publisher
from pipeline.records.outage import Outage
from pipeline.stream.chunk import End, Fault, Frames, Gap, Shot, Trouble
from pipeline.stream.progress import Progress
from pipeline.stream.spec import StreamSpec

log = logging.getLogger(__name__)


class Lane:
    """The state of one stream between two commits."""

    def __init__(
        self,
        spec: StreamSpec,
        progress: Progress,
        placements: Sequence[Placement],
        publisher: Publisher,
    ) -> None:
        """Continue where `progress` stands. A recording that is stopped goes on another day; a live
        stream that is stopped is over."""
        self.spec = spec
        self.live = spec.live
        self.resumed = bool(progress.position)
        self._progress = progress
        self._account = Account(spec, progress, placements, publisher)
        self._ledger, self.still = self._account.ledger, self._account.still
        self._memories = Memories(placements, self._progress)
        self.queue = ChunkQueue(1 if spec.drop == "latest" else QUEUED_CHUNKS)
        self.outbox = Outbox(progress, placements, publisher, live=spec.live)
        self._offered: Frames | None = None
        self._left = 0  # frames of the offered run that no batch has brought back yet
        self.times = FrameTimes()
        self.shortfall = Shortfall(spec, placements, self._ledger)
        self.lost = 0  # frames that were told to be lost, in this run
        self.frames = 0  # that have been through the operators, in this run
        self.spilt = 0  # of those, whose records were kept on disk and lost
        self.end: End | None = None
        self.size_hw: tuple[int, int] | None = None

    @property
    def stream(self) -> str:
        return self._progress.stream

    @property
    def why(self) -> str:
        """It did not end well, or not yet: why; "" where nothing is known."""
        if self.end is not None and self._goes_on(self.end):
            return brief(self.end.detail)
        return self._progress.detail

    @property
    def over(self) -> bool:
        """Its End is in the sink."""
        return self.end is not None and self.queue.first() is None and not self.outbox.busy

    @property
    def waits(self) -> bool:
        """It has no frames to offer, and may have some before long."""
        return self.queue.idle or self.waits_for_sink

    @property
    def waits_for_sink(self) -> bool:
        """It has something to commit, and a commit before that is still on its way."""
        done = self._offered is None and not self.queue.first() and not self.queue.idle
        return self.outbox.busy and (self.outbox.waiting or done)

    def advance(self) -> Frames | Commit | None:
        """A run of frames to offer, a due commit, or None until more comes or is confirmed."""
        if news := self.outbox.next_news(self._progress):
            return news
        entries = self.queue.first()
        if self._offered is not None or entries is None:
            return None
        while entries:
            entry = entries.popleft()
            if not isinstance(entry, Frames):
                self._pass(entry)
            elif given := self._begin(entry):
                return given
        if self.outbox.busy:
            return None
        self.queue.pop()
        return self._commit()

    def confirm(self) -> bool:
        """The commit that `advance` gave out last is in the sink; whether it was a chunk's."""
        if is_chunk := self.outbox.confirm():
            self.queue.confirm()
        return is_chunk

    def report(self, trouble: Trouble) -> None:
        """Trouble, told as soon as a commit can be, ahead of all that is queued."""
        self._warn(trouble)
        self.lost += trouble.lost
        self.queue.presence.lose(trouble)
        self.outbox.report(trouble)

    def tell(self, news: Outage | Trouble) -> None:
        """What a live stream cannot wait for the end of: the sink's outage, too slow an engine."""
        self.outbox.tell(news)

    def skip(self, taken: Sequence[int], cause: str) -> None:
        """The next frames of the offered run are dropped, and will be in no batch.

        Args:
            taken: per frame, which rules had taken it.
            cause: why, one of `CAUSES`.
        """
        for gap in self.shortfall.gaps(taken, cause):
            self._pass(gap)
        self._advance_run(len(taken))

    def count_sampled(self, operator: Operator, infos: Sequence[FrameInfo]) -> list[bool]:
        """Count frames that an operator is about to be given; whether a gap lies before each."""
        self._tell_dropped()
        self._ledger.add(operator.name, "sampled", len(infos))
        return self._memories.gaps_before(operator.name, infos)

    def take(
        self, operator: Operator, infos: Sequence[FrameInfo], results: Sequence[Result]
    ) -> None:
        """Frames of this stream that an operator took, and its results for this stream."""
        self._account.take(operator, infos, results)
        self._announce(self.shortfall.succeed(operator))

    def repeat(self, operator: Operator, info: FrameInfo, results: Sequence[Result] = ()) -> bool:
        """A frame that is not computed, and what an operator says of it; whether the operator's
        records of the computed frame hold for it."""
        return self._account.repeat(operator, info, results)

    def pass_over(self, operator: Operator) -> None:
        """A frame that is not computed, of which an operator has nothing to say."""
        for counter in ("sampled", "silent"):
            self._ledger.add(operator.name, counter, 1)

    def forget(self, operator: Operator, results: Sequence[Result] = ()) -> None:
        """An operator's memory of this stream was reset; its last results."""
        self._account.forget(operator, results)

    def bury(self, operator: Operator, info: FrameInfo, error: Exception) -> None:
        """An operator failed on a frame: dead letter instead of a result."""
        self._account.bury(operator, info, error)
        self._announce(self.shortfall.fail(operator, info, error))

    def refuse(self, error: RecordsTooLarge) -> Commit:
        """The commit that `advance` gave out last, with dead letters for what the sink cannot take.

        Raises:
            RecordsTooLarge: one of them is of no operator.
        """
        commit, operators = self.outbox.refuse(error)
        self.still.strike({one.id for one in error.refused})
        for operator in operators:  # frames of the next chunk may be counted already
            self._ledger.bury(operator)
        return commit

    def release(self, frames: int) -> None:
        """A batch with so many frames of the offered run has been through all operators."""
        self.frames += frames
        self._advance_run(frames, computed=frames)

    def _advance_run(self, frames: int, *, computed: int = 0) -> None:
        run = self._offered
        assert run is not None
        assert 0 < frames <= self._left
        self.times.release(run, len(run.infos) - self._left, computed)
        self._left -= frames
        last = run.infos[-1 - self._left]
        if computed and not run.repeats:
            self.still.see(last)
        self._progress = replace(
            self._progress,
            session=last.session,
            position=last.position,
            frames=self._progress.frames + computed,
            cursor=self._progress.cursor if self._left else run.cursor,
        )
        if not self._left:
            self._offered = None

    def _begin(self, frames: Frames) -> Frames | None:
        """What of a run is to be computed, if anything."""
        self._check_unbroken(frames.before)
        first = frames.infos[0]
        if first.session != self._progress.session or not self._progress.position:
            if self._progress.position:
                self._forget("session")
            self._account.start(first)
        if not frames.repeats:
            self._account.end_still()
        elif frames.repeats != self.still.computed:  # that was dropped, and so are these
            self._offered, self._left = frames, len(frames.infos)
            self.skip(frames.taken, self.shortfall.cause)
            return None
        given = self.shortfall.given(frames)
        self._offered = given or frames
        self._left = len(self._offered.infos)
        self.size_hw = frames.size_hw
        if given is None:
            self._advance_run(self._left)
        return given

    def _check_unbroken(self, before: int | None) -> None:
        if not self.live:
            refuse_hole(self.stream, before, self._progress.frames)

    def _pass(self, entry: Gap | Fault | End | Shot) -> None:
        if isinstance(entry, Shot):
            return self._account.tell(entry)
        if isinstance(entry, Gap):
            self._forget(entry.reason)
            if entry.dropped:
                self.shortfall.drop(entry)
                return
        if isinstance(entry, End):
            self.end = entry
            if entry.outcome in ("ok", "degraded"):
                self._check_unbroken(entry.sampled)
            if self._goes_on(entry):
                return
            detail = end_reason(entry, self._progress.detail)
            self._progress = replace(self._progress, lost=entry.lost, detail=detail)
            self._forget("end")
            self._tell_dropped()
            return  # told by its commit, when what the sink refused before is counted
        if isinstance(entry, Fault):
            self.lost += entry.lost
            if entry.lost and not self._progress.detail:
                self._progress = replace(self._progress, detail=brief(entry.detail))
            if not entry.lost:
                self._warn(entry)
                if not self.spec.endless:
                    return  # a decoder that had to be restarted is no fact about the footage
        self._account.announce([entry], self._progress)

    def _warn(self, fault: Fault) -> None:
        told = (self.stream, fault.kind, fault.detail)
        log.warning("%s: %s: %s", *told, extra={"stream": self.stream})

    def _tell_dropped(self) -> None:
        self._announce(self.shortfall.take())

    def _announce(self, entries: Sequence[Gap | Fault]) -> None:
        self._account.announce(entries, self._progress)

    def _goes_on(self, end: End) -> bool:
        """Another day: nothing is forgotten, and consumers are not told of an end."""
        return not self.live and (end.unfinished or end.outcome == "stopped")

    def _forget(self, reason: str) -> None:
        self._account.end_still()
        self.still.break_off()
        for operator, results in self._memories.reset(reason):
            self.forget(operator, results)

    def _commit(self) -> Commit:
        messages, counts = self._account.close()
        self._progress = replace(
            self._progress,
            operators=self._memories.snapshots(),
            gaps=self._memories.gaps(),
            status=self._status,
            **counts,
        )
        told = self.end if self.end and not self._goes_on(self.end) else None
        self.times.send()
        return self.outbox.send(messages, self._progress, told)

    @property
    def _status(self) -> str:
        if self.end is None:
            return "running"
        return "stopped" if self._goes_on(self.end) else self.end.outcome
