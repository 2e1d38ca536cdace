"""The loop of one engine: feed -> lanes -> batches -> engine -> sink. The same in every runtime.

Pulls: a lane asks for its next chunk when it has room, so memory is bounded by construction.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from pipeline.engine.batching import Batcher
from pipeline.engine.commit import Commit
from pipeline.engine.drain import Drain
from pipeline.engine.intake import Intake
from pipeline.engine.lane import Lane
from pipeline.engine.step import Engine
from pipeline.engine.tally import Outcome, Tally
from pipeline.errors import RecordsTooLarge, SinkAway
from pipeline.records.message import Publisher
from pipeline.records.outage import Outage
from pipeline.records.record import Message
from pipeline.sinks.patient import PatientSink
from pipeline.sinks.sink import Sink
from pipeline.stream.chunk import End, Frames, Trouble
from pipeline.stream.feed import Feed
from pipeline.stream.spec import StreamSpec

LIVE_BATCH_WAIT_S = 0.2  # a live frame waits no longer than this for batch mates
SILENCE_S = 2.0  # what a decoder is given to speak after the time to drain
IDLE_WAIT_S = 0.25  # how long a loop without work waits before it looks at `stop` again
DRAIN_S = 10.0  # what is given to what is decoded, and to the sink, after `stop`
SILENT = "its decoder did not end in time; what it held is in no count"
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
        max_age_s: float = math.inf,
        drain_s: float = DRAIN_S,
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
            max_age_s: a live frame that arrived longer ago is dropped when its turn comes.
            drain_s: how long after `stop` frames are still computed; then live ones are dropped,
                and recordings stand where their last commit was.
            patience_s: how long an outage of the sink is borne; None: for ever.
            sink_name: the sink, for a person.
            clock: seconds, monotonic, that of `Frames.arrived_s`.
        """
        self._engine = engine
        self._intake = Intake(feed)
        self._sink = PatientSink(
            sink,
            name=sink_name,
            patience_s=patience_s,
            meanwhile=lambda: self._intake.watch(),
            tell=self._note_outage,
        )
        self._publisher = publisher
        self._open_streams = open_streams
        self._batch_wait_s = math.inf if batch_wait_s is None else batch_wait_s
        self._max_age_s = max_age_s
        self._clock = clock
        self._batcher = Batcher(engine.batch_size)
        self._lanes: dict[str, Lane] = {}  # not begun
        self._open_lanes: dict[str, Lane] = {}
        self._waiting: deque[StreamSpec] = deque()
        self._resumed: set[str] = set()
        self._drain = Drain(drain_s, self._sink.interrupt, clock)
        self._draining = False
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
            self._drain.close()
        return self.tally

    def _claim(self, jobs: Mapping[str, str], specs: Sequence[StreamSpec], fresh: bool) -> None:
        claimed = self._sink.claim({spec.stream: jobs[spec.stream] for spec in specs}, fresh=fresh)
        for spec in specs:
            progress = claimed[spec.stream]
            if progress.position:
                self._resumed.add(spec.stream)
            if progress.done:
                self.tally.outcomes.append(Outcome.before(progress))
                continue
            self._lanes[spec.stream] = Lane(
                progress, self._engine.placements, self._publisher(spec.stream), live=spec.live
            )
            self._waiting.append(replace(spec, cursor=progress.cursor, epoch=progress.epoch))

    def stop(self) -> None:
        """Finish what is decoded, commit it, and return from `run`; what takes longer than
        `drain_s`, a sink that is away too, is cut off. Callable from any thread."""
        self._drain.ask()

    def _pump(self) -> None:
        open_lanes = self._open_lanes
        busy = False
        while self._waiting or open_lanes:
            if self._drain.asked:
                self._end(open_lanes)
            self._open(open_lanes)
            self._request(open_lanes)
            due_s = 0.0 if busy else self._batcher.due_s - self._clock()
            self._accept(max(0.0, min(IDLE_WAIT_S, due_s)))
            busy = self._work(open_lanes)

    def _end(self, lanes: dict[str, Lane]) -> None:
        """Come to an end: at once no more is begun, and in time no more is computed."""
        if not self._draining:
            self._draining = True
            self._waiting.clear()
            self._intake.stop(lanes)
        self._drain.look()
        if (cut_s := self._drain.cut_s) is None:
            return
        for lane in list(lanes.values()):
            if not lane.live:
                self._abandon(lane, lanes)
            elif not lane.queue.closing and self._clock() >= cut_s + SILENCE_S:
                self._intake.leave(lane.stream)
                lane.queue.accept([End(lane.stream, "stopped", SILENT, lost=lane.lost)])

    def _abandon(self, lane: Lane, lanes: dict[str, Lane]) -> None:
        """A recording goes on another day, from its last commit."""
        stream = lane.stream
        self._batcher.discard(lambda run: len(run.infos) if run.stream == stream else 0)
        self._intake.leave(stream)
        del lanes[stream]
        self.tally.outcomes.append(Outcome(stream, "stopped", resumed=stream in self._resumed))

    def _open(self, lanes: dict[str, Lane]) -> None:
        while self._waiting and len(lanes) < self._open_streams:
            spec = self._waiting.popleft()
            self._intake.open(spec)
            lanes[spec.stream] = self._lanes.pop(spec.stream)

    def _request(self, lanes: dict[str, Lane]) -> None:
        self._intake.ask(stream for stream, lane in lanes.items() if lane.queue.hungry)

    def _accept(self, timeout_s: float) -> None:
        troubles = []
        for stream, news in self._intake.take(timeout_s):
            if isinstance(news, Trouble):
                troubles.append(news)
            else:
                self._open_lanes[stream].queue.accept(news)
        for trouble in troubles:
            lane = self._open_lanes[trouble.stream]
            commit = lane.report(trouble)
            if not self.tally.given_up:
                self._commit(commit, lane)
                self._tell_outages()

    def _work(self, lanes: dict[str, Lane]) -> bool:
        """One batch, where there is one, and all that can be done without; whether there was.

        No more at a time: trouble of cameras that is not read is not told.
        """
        while True:
            for lane in list(lanes.values()):
                self._advance(lane, lanes)
            if not self._drop(lanes):
                break
        self._request(lanes)  # so that decoding goes on beside the step
        awaited = {lane.size_hw for lane in lanes.values() if lane.queue.idle}
        batch = self._batcher.cut(awaited, self._clock())
        if batch is None:
            return False
        self._engine.step(batch, lanes)
        self.tally.frames += len(batch.frames.infos)
        self.tally.batches[len(batch.streams)] += 1
        return True

    def _drop(self, lanes: dict[str, Lane]) -> bool:
        """Live frames whose turn comes too late; whether there were any."""
        cut = self._drain.cut_s is not None
        oldest_s = math.inf if cut else self._clock() - self._max_age_s
        gone = self._batcher.discard(
            lambda run: (
                len(run.infos) if cut and lanes[run.stream].live else run.older_than(oldest_s)
            )
        )
        cause = "drain" if cut else "late"
        for stream, taken in gone:
            lanes[stream].skip(taken, cause)
        return bool(gone)

    def _advance(self, lane: Lane, lanes: dict[str, Lane]) -> None:
        while (step := lane.advance()) is not None:
            if isinstance(step, Frames):
                self._batcher.offer(step, self._clock() + self._batch_wait_s)
                if step.share is not None:
                    self.tally.shares[lane.stream] = step.share
            else:
                self._commit(step, lane)
                lane.queue.confirm()
                self._tell_outages()
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
        self.tally.count(receipt, commit.messages)
        if lane.live:
            age_s = None if commit.arrived_s is None else self._clock() - commit.arrived_s
            self.tally.see(lane.stream, lane.frames, lane.dropped, age_s)

    def _tell_outages(self) -> None:
        """Cameras could not wait for the end of an outage, and what they dropped has its reason."""
        while outages := self._sink.take_ended():
            self.tally.outages += outages
            for outage in outages:
                for lane in [lane for lane in self._open_lanes.values() if lane.live]:
                    if event := lane.tell(outage):
                        self._commit(event, lane)

    def _note_outage(self, outage: Outage | None) -> None:
        self.tally.outage = outage

    def _give_up(self, away: SinkAway) -> None:
        """No record goes out any more: recordings wait for another day, cameras cannot."""
        self.tally.given_up = str(away)
        self._intake.stop(self._open_lanes)
        cameras = [lane for lane in self._open_lanes.values() if lane.live]
        until_s = self._clock() + COUNT_S
        while self._clock() < until_s and (unsaid := [c for c in cameras if not c.queue.closing]):
            self._intake.ask(lane.stream for lane in unsaid)
            self._accept(IDLE_WAIT_S)
        for lane in cameras:
            self.tally.undelivered[lane.stream] += lane.queue.unconfirmed
        for lane in self._open_lanes.values():
            self.tally.outcomes.append(
                Outcome(lane.stream, "stopped", str(away), resumed=lane.stream in self._resumed)
            )

    def _finish(self, lane: Lane, lanes: dict[str, Lane]) -> None:
        end = lane.end
        assert end is not None
        del lanes[lane.stream]
        self.tally.outcomes.append(Outcome.of(end, lane.why, resumed=lane.stream in self._resumed))
