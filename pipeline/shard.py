"""The loop of one engine: feed -> lanes -> batches -> engine -> sink. The same in every runtime.

Pulls: a lane asks for its next chunk when it has room, so memory is bounded by construction.
"""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from pipeline.batching import Batch, Batcher
from pipeline.chunk import Chunk, Entry, Frames
from pipeline.decode.spec import StreamSpec
from pipeline.engine import Engine
from pipeline.errors import RecordsTooLarge, SinkAway
from pipeline.feed import Feed
from pipeline.lane import Commit, Lane
from pipeline.message import Publisher
from pipeline.outage import Outage
from pipeline.progress import Progress
from pipeline.sinks.patient import PatientSink
from pipeline.sinks.sink import Message, Receipt, Sink
from pipeline.tally import Outcome, Tally

LIVE_BATCH_WAIT_S = 0.2  # a live frame waits no longer than this for batch mates
IDLE_WAIT_S = 0.25  # how long a loop without work waits before it looks at `stop` again
DRAIN_S = 10.0  # how long an outage of the sink is still borne after `stop`
COUNT_S = 5.0  # for cameras to say what they hold, once it cannot be delivered any more


class Shard:
    """An engine, its streams and its sink."""

    def __init__(
        self,
        engine: Engine,
        feed: Feed,
        sink: Sink,
        publisher: Callable[[str], Publisher],
        *,
        open_streams: int,
        batch_wait_s: float | None = None,
        patience_s: float | None = None,
        sink_name: str = "the sink",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """
        Args:
            sink: its outages are borne here.
            publisher: makes the message builder of a stream.
            open_streams: how many streams decode at a time; the others wait their turn.
            batch_wait_s: no frame waits longer than this for batch mates (live). None: for as long
                as frames that could fill its batch are awaited (recorded); no result changes.
            patience_s: how long an outage of the sink is borne; None: for ever.
            sink_name: the sink, for a person.
            clock: seconds, monotonic.
        """
        self._engine = engine
        self._feed = feed
        self._sink = PatientSink(
            sink,
            name=sink_name,
            patience_s=patience_s,
            meanwhile=self._watch_decoders,
            tell=self._note_outage,
        )
        self._publisher = publisher
        self._open_streams = open_streams
        self._batch_wait_s = math.inf if batch_wait_s is None else batch_wait_s
        self._clock = clock
        self._batcher = Batcher(engine.batch_size)
        self._lanes: dict[str, Lane] = {}  # not begun
        self._open_lanes: dict[str, Lane] = {}
        self._early: list[Chunk] = []  # came while the sink was away
        self._waiting: deque[StreamSpec] = deque()
        self._asked: set[str] = set()
        self._resumed: set[str] = set()
        self._stopping = threading.Event()
        self._over = threading.Event()
        self.tally = Tally(failures=engine.failures)

    def run(
        self,
        jobs: Mapping[str, str],
        specs: Sequence[StreamSpec],
        *,
        labels: Sequence[Message] = (),
        fresh: bool = False,
        again: bool = False,
    ) -> Tally:
        """Process the streams to their ends, or until `stop`, or as long as the sink's outages are
        borne (`Tally.given_up`).

        Args:
            jobs: stream -> its job, under which its progress is kept.
            specs: the streams.
            labels: label sets to publish before the first record that needs them.
            fresh: forget earlier progress.
            again: this run took the streams before and takes them back; an outage of the sink is
                borne then, which at the very start would be a wrong address.

        Raises:
            SinkError: results could not be committed; all that was committed stays.
        """
        if again:
            self._sink.meet()
        try:
            self._claim(jobs, specs, fresh)
            if self._waiting:
                self._sink.publish(labels)
            self._pump()
        except SinkAway as away:
            self._give_up(away)
        finally:
            self._over.set()
        return self.tally

    def _claim(self, jobs: Mapping[str, str], specs: Sequence[StreamSpec], fresh: bool) -> None:
        claimed = self._sink.claim({spec.stream: jobs[spec.stream] for spec in specs}, fresh=fresh)
        for spec in specs:
            progress = claimed[spec.stream]
            if progress.position:
                self._resumed.add(spec.stream)
            if progress.done:
                self.tally.outcomes.append(_complete(progress))
                continue
            self._lanes[spec.stream] = Lane(
                progress, self._engine.placements, self._publisher(spec.stream), live=spec.live
            )
            self._waiting.append(replace(spec, cursor=progress.cursor, epoch=progress.epoch))

    def stop(self) -> None:
        """Finish what is decoded, commit it, and return from `run`; a sink that is away is waited
        for `DRAIN_S` more. Callable from any thread."""
        if not self._stopping.is_set():
            self._stopping.set()
            threading.Thread(target=self._hurry, name="drain", daemon=True).start()

    def _hurry(self) -> None:
        if not self._over.wait(DRAIN_S):
            self._sink.interrupt()

    def _pump(self) -> None:
        open_lanes = self._open_lanes
        told = False
        while self._waiting or open_lanes:
            if self._stopping.is_set() and not told:
                told = True
                self._waiting.clear()
                for stream in open_lanes:
                    self._feed.stop(stream)
            self._open(open_lanes)
            self._request(open_lanes)
            for chunk in self._chunks():
                self._accept(chunk, open_lanes)
            self._work(open_lanes)

    def _open(self, lanes: dict[str, Lane]) -> None:
        while self._waiting and len(lanes) < self._open_streams:
            spec = self._waiting.popleft()
            self._feed.open(spec)
            lanes[spec.stream] = self._lanes.pop(spec.stream)

    def _request(self, lanes: dict[str, Lane]) -> None:
        for stream, lane in lanes.items():
            if lane.hungry and stream not in self._asked:
                self._asked.add(stream)
                self._feed.request(stream)

    def _chunks(self) -> list[Chunk]:
        early, self._early = self._early, []
        return early or self._feed.wait(self._patience_s())

    def _patience_s(self) -> float:
        return max(0.0, min(IDLE_WAIT_S, self._batcher.due_s - self._clock()))

    def _accept(self, chunk: Chunk, lanes: dict[str, Lane]) -> None:
        shares: dict[str, list[Entry]] = {}
        for entry in chunk.entries:
            shares.setdefault(entry.stream, []).append(entry)
        for stream, entries in shares.items():
            self._asked.discard(stream)
            lanes[stream].accept(entries)

    def _work(self, lanes: dict[str, Lane]) -> None:
        """All that can be done without another chunk."""
        while True:
            for lane in list(lanes.values()):
                self._advance(lane, lanes)
            self._request(lanes)  # so that decoding goes on beside the step
            awaited = {lane.size_hw for lane in lanes.values() if lane.idle}
            batch = self._batcher.cut(awaited, self._clock())
            if batch is None:
                return
            self._engine.step(batch, lanes)
            self._count(batch)

    def _count(self, batch: Batch) -> None:
        self.tally.frames += len(batch.frames.infos)
        self.tally.batches[len(batch.streams)] += 1

    def _advance(self, lane: Lane, lanes: dict[str, Lane]) -> None:
        while (step := lane.advance()) is not None:
            if isinstance(step, Frames):
                self._batcher.offer(step, self._clock() + self._batch_wait_s)
                if step.share is not None:
                    self.tally.shares[lane.stream] = step.share
            else:
                self._commit(step, lane)
        if lane.end and not lane.waits_for_batch:
            self._finish(lane, lanes)

    def _commit(self, commit: Commit, lane: Lane) -> None:
        while True:
            try:
                receipt = self._sink.commit(commit.messages, commit.progress)
            except RecordsTooLarge as error:
                commit = lane.refuse(commit, error)
            else:
                break
        self._count_records(receipt, commit.messages)
        lane.confirm()
        while outages := self._sink.take_ended():
            self.tally.outages += outages
            lanes = [lane for lane in self._open_lanes.values() if lane.live]
            events = [lane.tell(outage) for outage in outages for lane in lanes]
            self._count_records(self._sink.publish(events), events)

    def _count_records(self, receipt: Receipt, messages: Sequence[Message]) -> None:
        self.tally.receipt += receipt
        self.tally.records.update(message.topic for message in messages)

    def _note_outage(self, outage: Outage | None) -> None:
        self.tally.outage = outage

    def _watch_decoders(self) -> None:
        """While the sink is away: cameras are still lost and connected again."""
        self._early += self._feed.wait(0.0)

    def _give_up(self, away: SinkAway) -> None:
        """No record goes out any more: recordings wait for another day, cameras cannot."""
        self.tally.given_up = str(away)
        lanes = self._open_lanes
        for stream in lanes:
            self._feed.stop(stream)
        for chunk in self._early:
            self._accept(chunk, lanes)
        until_s = self._clock() + COUNT_S
        while unsaid := [one for one in lanes.values() if one.live and not one.closing]:
            if self._clock() >= until_s:
                break
            for stream in {lane.stream for lane in unsaid} - self._asked:
                self._asked.add(stream)
                self._feed.request(stream)
            for chunk in self._feed.wait(IDLE_WAIT_S):
                self._accept(chunk, lanes)
        for lane in lanes.values():
            if lane.live:
                self.tally.undelivered[lane.stream] += lane.unconfirmed
            self.tally.outcomes.append(
                Outcome(lane.stream, "stopped", str(away), resumed=lane.stream in self._resumed)
            )

    def _finish(self, lane: Lane, lanes: dict[str, Lane]) -> None:
        end = lane.end
        assert end is not None
        del lanes[lane.stream]
        self.tally.outcomes.append(
            Outcome(
                lane.stream,
                end.outcome,
                lane.why,
                end.decoded,
                end.lost,
                end.memory_bytes,
                lane.stream in self._resumed,
            )
        )


def _complete(progress: Progress) -> Outcome:
    """Of a stream that an earlier run has done."""
    return Outcome(
        progress.stream,
        progress.status,
        progress.detail,
        lost=progress.lost,
        resumed=True,
        already=True,
    )
