"""One stream on its engine: decode entries in, runs of frames and commits out.

Knows the order of things within a stream (gaps, sessions, the end) and keeps what a resume needs.
Knows nothing of batches, clocks, processes or sinks.
"""

from __future__ import annotations

import base64
import logging
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace

from operators.frames import FrameInfo
from operators.result import Result
from operators.variant import prepared_variant
from pipeline.chunk import End, Entry, Fault, Frames, Gap
from pipeline.errors import RecordsTooLarge, RuntimeFailure
from pipeline.ledger import Ledger
from pipeline.message import Publisher, position_of
from pipeline.outage import Outage
from pipeline.placement import Placement
from pipeline.progress import Progress
from pipeline.sampling import GapDetector
from pipeline.secrets import mask
from pipeline.sinks.sink import Message
from pipeline.trace import DETAIL_CHARS

log = logging.getLogger(__name__)

QUEUED_CHUNKS = 2  # one in work and one ahead: what a killed engine does again


@dataclass(frozen=True, slots=True)
class Commit:
    """One chunk of one stream through all operators."""

    messages: tuple[Message, ...]
    progress: Progress


class Lane:
    """The state of one stream between two commits."""

    def __init__(
        self,
        progress: Progress,
        placements: Sequence[Placement],
        publisher: Publisher,
        *,
        live: bool = False,
    ) -> None:
        """Continue where `progress` stands. A recording that is stopped goes on another day; a live
        stream (`live`) that is stopped is over."""
        self.live = live
        retried = progress.status == "rejected"
        self._progress = replace(progress, detail="") if retried else progress
        self._placements = placements
        self._publisher = publisher
        self._ledger = Ledger(progress.ledger, progress.waiting)
        self._gaps = {p.name: GapDetector(p.sampling) for p in placements}
        self._chunks: deque[deque[Entry]] = deque()
        self._offered: Frames | None = None
        self._left = 0  # frames of the offered run that no batch has brought back yet
        self._messages: list[Message] = []
        self._unconfirmed: deque[int] = deque()  # sampled frames of the chunks not yet committed
        self._buried: set[tuple[str, ...]] = set()  # frames of the newest commit, by operator
        self._closing = False  # the stream's End is queued
        self.end: End | None = None
        self.size_hw: tuple[int, int] | None = None
        self._restore()

    @property
    def stream(self) -> str:
        return self._progress.stream

    @property
    def why(self) -> str:
        """It did not end well, or not yet: why; "" where nothing is known."""
        if self.end is not None and self._goes_on(self.end):
            return _told(self.end.detail)
        return self._progress.detail

    @property
    def hungry(self) -> bool:
        """Room for another chunk."""
        return not self._closing and len(self._chunks) < QUEUED_CHUNKS

    @property
    def idle(self) -> bool:
        """Nothing to work on until another chunk comes."""
        return not self._closing and not self._chunks

    @property
    def waits_for_batch(self) -> bool:
        return self._offered is not None

    @property
    def closing(self) -> bool:
        """Nothing more will come."""
        return self._closing

    @property
    def unconfirmed(self) -> int:
        """Sampled frames that came and are not committed, those that were dropped among them."""
        return sum(self._unconfirmed)

    def confirm(self) -> None:
        """The oldest commit that `advance` gave out is in the sink."""
        self._unconfirmed.popleft()

    def accept(self, entries: Sequence[Entry]) -> None:
        """Queue this stream's entries of one chunk."""
        self._unconfirmed.append(sum(_sampled(entry) for entry in entries))
        self._chunks.append(deque(entries))
        self._closing = isinstance(entries[-1], End)

    def advance(self) -> Frames | Commit | None:
        """Go on: a run of frames to offer, a commit that is due, or None until more comes."""
        if self._offered is not None or not self._chunks:
            return None
        entries = self._chunks[0]
        while entries:
            entry = entries.popleft()
            if isinstance(entry, Frames):
                self._begin(entry)
                return entry
            self._pass(entry)
        self._chunks.popleft()
        return self._commit()

    def takes(self, placement: Placement, info: FrameInfo) -> bool:
        """Note that an operator takes a frame; true where a gap lies before it."""
        self._ledger.add(placement.name, "sampled", 1)
        return self._gaps[placement.name].is_gap(info.event_time_us)

    def take(
        self, placement: Placement, infos: Sequence[FrameInfo], results: Sequence[Result]
    ) -> None:
        """Frames of this stream that an operator took, and its results for this stream. One that
        remembers may speak of a frame later, the others never."""
        self._ledger.took(placement.name, infos)
        self._deliver(placement, results)
        if not placement.remembers:
            self._ledger.settle(placement.name)

    def forget(self, placement: Placement, results: Sequence[Result] = ()) -> None:
        """An operator's memory of this stream was reset; its last results."""
        self._deliver(placement, results)
        self._ledger.settle(placement.name)

    def _deliver(self, placement: Placement, results: Sequence[Result]) -> None:
        self._ledger.told(placement.name, results)
        for result in results:
            # After a resume a span may end on a frame of the assignment before.
            own = replace(result, info=replace(result.info, epoch=self._progress.epoch))
            variant = placement.variant(result.operator, self.stream)
            variant = prepared_variant(variant, own.info.preparation)
            self._messages.append(self._publisher.record(own, variant, placement.operator))

    def bury(self, placement: Placement, info: FrameInfo, error: Exception) -> None:
        """An operator failed on a frame: dead letter instead of a result."""
        self._ledger.add(placement.name, "deadletter", 1)
        self._messages.append(self._publisher.dead_letter(info, placement.name, error))

    def refuse(self, commit: Commit, error: RecordsTooLarge) -> Commit:
        """The commit that `advance` gave out last, with dead letters for what the sink cannot take.

        Raises:
            RecordsTooLarge: one of them is of no operator.
        """
        operators = {topic: p.name for p in self._placements for topic in p.variants}
        refused = {(one.topic, one.id): one for one in error.refused}
        messages = list(commit.messages)
        buried = set()
        for index, message in enumerate(messages):
            one = refused.get((message.topic, message.id))
            if one is not None:
                if message.topic not in operators:
                    raise error
                operator = operators[message.topic]
                messages[index] = letter = self._publisher.too_large(message, operator, one)
                buried.add((operator, letter.headers["ce_session"], position_of(message)))
        if not buried:
            raise error
        for operator, *_ in buried - self._buried:
            self._ledger.bury(operator)
        self._buried |= buried
        if self.end and not self._goes_on(self.end):  # with the counts as they are now
            messages[-1:] = self._publisher.announce(
                self.end, self._progress, self._ledger.counts()
            )
        self._progress = replace(self._progress, ledger=self._ledger.counts())
        return Commit(tuple(messages), self._progress)

    def tell(self, outage: Outage) -> Message:
        """The event of an outage of the sink, for a stream that could not wait."""
        return self._publisher.outage(outage, self._progress)

    def release(self, frames: int) -> None:
        """A batch with so many frames of the offered run has been through all operators."""
        assert self._offered is not None
        assert 0 < frames <= self._left
        self._left -= frames
        if not self._left:
            run = self._offered
            last = run.infos[-1]
            self._progress = replace(
                self._progress,
                session=last.session,
                position=last.position,
                frames=self._progress.frames + len(run.infos),
                cursor=run.cursor,
            )
            self._offered = None

    def _begin(self, frames: Frames) -> None:
        self._check_unbroken(frames.before)
        first = frames.infos[0]
        if first.session != self._progress.session or not self._progress.position:
            if self._progress.position:
                self._forget("session")
            self._messages.append(self._publisher.started(first))
        self._offered, self._left = frames, len(frames.infos)
        height, width = frames.pixels.shape[1:3]
        self.size_hw = (height, width)

    def _check_unbroken(self, before: int | None) -> None:
        """Refuse to commit past a hole: the cursor would pass it, and no resume would repair it.

        Args:
            before: frames that must have come, as the decoder counted them.
        """
        here = self._progress.frames
        if not self.live and before is not None and before != here:
            raise RuntimeFailure(
                f"{self.stream}: {before} sampled frames were decoded up to here and {here} have "
                "arrived, which is a bug; run again: it goes on from the last commit"
            )

    def _pass(self, entry: Gap | Fault | End) -> None:
        if isinstance(entry, Gap):
            self._forget(entry.reason)
            for placement in self._placements:
                self._ledger.add(placement.name, "dropped", entry.dropped_of(placement.rule))
        if isinstance(entry, End):
            self.end = entry
            if entry.outcome in ("ok", "degraded"):
                self._check_unbroken(entry.sampled)
            if self._goes_on(entry):
                return
            self._progress = replace(self._progress, lost=entry.lost, detail=self._reason(entry))
            self._forget("end")
        if isinstance(entry, Fault) and entry.lost and not self._progress.detail:
            self._progress = replace(self._progress, detail=_told(entry.detail))
        if isinstance(entry, Fault) and not entry.lost:
            log.warning("%s: %s: %s", self.stream, entry.kind, entry.detail)
            if not self.live:
                return  # a decoder that had to be restarted is no fact about the footage
        self._messages += self._publisher.announce(entry, self._progress, self._ledger.counts())

    def _goes_on(self, end: End) -> bool:
        """Another day: nothing is forgotten, and consumers are not told of an end."""
        return not self.live and (end.unfinished or end.outcome == "stopped")

    def _reason(self, end: End) -> str:
        """Why a stream did not end well; where it counts frames only, with what lost the first."""
        first = self._progress.detail
        if end.outcome == "ok":
            return ""
        if end.outcome != "degraded" or not end.lost or first in end.detail:
            return _told(end.detail)
        return f"{_told(end.detail)}: {first}"

    def _forget(self, reason: str) -> None:
        for placement in self._placements:
            if operator := placement.remembers:
                self.forget(placement, operator.reset(self.stream, reason))
            self._gaps[placement.name] = GapDetector(placement.sampling)

    def _commit(self) -> Commit:
        self._progress = replace(
            self._progress,
            sequence=self._progress.sequence + 1,
            operators=self._snapshots(),
            gaps={name: detector.snapshot() for name, detector in self._gaps.items()},
            ledger=self._ledger.counts(),
            waiting=self._ledger.waiting(),
            status=self._status,
        )
        self._buried = set()
        messages, self._messages = tuple(self._messages), []
        return Commit(messages, self._progress)

    @property
    def _status(self) -> str:
        if self.end is None:
            return "running"
        return "stopped" if self._goes_on(self.end) else self.end.outcome

    def _snapshots(self) -> dict[str, str]:
        return {
            p.name: base64.b64encode(p.remembers.snapshot(self.stream)).decode()
            for p in self._placements
            if p.remembers
        }

    def _restore(self) -> None:
        for placement in self._placements:
            state = self._progress.operators.get(placement.name)
            if state is not None and placement.remembers:
                placement.remembers.restore(self.stream, base64.b64decode(state))
            gaps = self._progress.gaps.get(placement.name)
            if gaps is not None:
                self._gaps[placement.name].restore(gaps)


def _sampled(entry: Entry) -> int:
    if isinstance(entry, Frames):
        return len(entry.infos)
    return entry.dropped if isinstance(entry, Gap) else 0


def _told(detail: str) -> str:
    return mask(detail)[:DETAIL_CHARS]
