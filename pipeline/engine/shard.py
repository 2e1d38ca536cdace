"""The loop of one engine: feed -> lanes -> batches -> engine -> sink. The same in every runtime.

Pulls: a lane asks for its next chunk when it has room, so memory is bounded by construction.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence

from pipeline.engine.committer import KEEP_AFTER_S, Committer
from pipeline.engine.delivery import Delivery
from pipeline.engine.drain import Drain
from pipeline.engine.ending import Ending
from pipeline.engine.flight import Flight
from pipeline.engine.intake import Intake
from pipeline.engine.lane import Lane
from pipeline.engine.mending import Mending
from pipeline.engine.observer import WAIT, Observer, StageSeconds
from pipeline.engine.recovery import recover
from pipeline.engine.relief import Relief
from pipeline.engine.roster import Roster
from pipeline.engine.scheduler import Scheduler
from pipeline.engine.step import Engine
from pipeline.engine.tally import Outcome, Tally
from pipeline.engine.tracer import Tracer
from pipeline.errors import SinkAway
from pipeline.records.commit import Commit
from pipeline.records.record import Message
from pipeline.sinks.patient import PatientSink
from pipeline.sinks.sink import Sink
from pipeline.sinks.spill.folder import SpillFolder
from pipeline.sinks.spill.spill import Spill
from pipeline.stream.chunk import Frames, Trouble
from pipeline.stream.feed import Feed
from pipeline.stream.progress import Progress
from pipeline.stream.spec import StreamSpec

SINK_WAIT_S = 0.02  # how long the sink is waited for before the decoders are looked at again
IDLE_WAIT_S = 0.25  # how long a loop without work waits before it looks at `stop` again
DRAIN_S = 10.0  # what is given to what is decoded, and to the sink, after `stop`
COUNT_S = 5.0  # for cameras to say what they hold, once it cannot be delivered any more


class Shard:
    """An engine, its streams and its sink."""

    def __init__(
        self,
        engine: Engine,
        feed: Feed,
        sink: Sink,
        make_lane: Callable[[StreamSpec, Progress], Lane],
        *,
        most_open: int | None = None,
        max_age_s: float = math.inf,
        overload: Sequence[str] = (),
        drain_s: float = DRAIN_S,
        patience_s: float | None = None,
        sink_name: str = "the sink",
        clock: Callable[[], float] = time.monotonic,
        observer: Observer | None = None,
        tracer: Tracer | None = None,
        spill: SpillFolder | None = None,
        keep_after_s: float = KEEP_AFTER_S,
    ) -> None:
        """
        Args:
            sink: its outages are borne here.
            make_lane: of a stream that was claimed.
            most_open: how many recordings decode at a time, the others wait their turn; None: all.
            max_age_s: a live frame that arrived longer ago is dropped when its turn comes.
            overload: what is given up, in this order, while live frames come out too late for
                their stream's latency: names of operators, and `sampling.HALF`.
            drain_s: how long after `stop` frames are still computed; then live ones are dropped,
                and recordings stand where their last commit was.
            patience_s: how long an outage of the sink is borne; None: for ever.
            sink_name: the sink, for a person.
            clock: seconds, monotonic, that of `Frames.arrived_s`.
            observer: hears what is done; None: `Tally.seconds` does.
            tracer: hears what live frames took; closed with the run. None: nobody does.
            spill: where commits of live streams are kept while the sink is away; None: they wait.
            keep_after_s: how long they wait before.
        """
        self._max_age_s = max_age_s
        self._clock = clock
        self.tally = Tally()
        self._observer = observer or StageSeconds(self.tally.seconds)
        note = self.tally.note_outage
        self._sink = PatientSink(sink, name=sink_name, patience_s=patience_s, tell=note)
        self._tracer = tracer
        self._spill_folder = spill
        self._keep_after_s = keep_after_s
        self._mending = Mending()
        self._intake = Intake(feed)
        self._roster = Roster(self._intake, self.tally, make_lane, most_open)
        self._lanes = self._roster.lanes
        self._scheduler = Scheduler(self._lanes, engine.batch_size)
        self._relief = Relief(self._lanes, overload)
        loop = (self._scheduler, self._relief, self.tally, self._observer, clock)
        self._flight = Flight(engine, self._lanes, *loop)
        self._drain = Drain(drain_s, self._sink.interrupt, clock)
        self._ending = Ending(self._drain, self._intake, self._roster, self._scheduler, clock)
        self.turned_s: float | None = None  # when the loop last did; None: not at work yet

    def run(
        self,
        jobs: Mapping[str, str],
        specs: Sequence[StreamSpec],
        *,
        labels: Sequence[Message] = (),
        fresh: bool = False,
        again: bool = False,
        stay: bool = False,
    ) -> Tally:
        """Process streams to their ends, or until `stop`, or as long as the sink's outages are
        borne (`Tally.given_up`).

        Args:
            jobs: stream -> its job, under which its progress is kept.
            specs: the streams to begin with.
            labels: label sets to publish before the first record that needs them.
            fresh: forget earlier progress.
            again: this run took the streams before and takes them back; an outage of the sink is
                borne then, which at the very start would be a wrong address.
            stay: go on without streams, until `stop`; some may be added.

        Raises:
            SinkError: results could not be committed; all that was committed stays.
        """
        if again:
            self._sink.meet()
        spill = None
        try:
            self._roster.add(jobs, specs, fresh=fresh)
            if self._spill_folder and (stay or self._roster.live):
                spill = recover(self._spill_folder, self._sink, self.tally.count)
            for claim in self._roster.take_claims():
                claimed = self._sink.claim(claim.jobs, fresh=claim.fresh)
                self._mending.begin(claimed)
                self._roster.admit(claimed)
            if self._roster.waiting or stay:
                self._sink.publish(labels)
            self._commit_beside(spill, stay)
        except SinkAway as away:
            self._give_up(away)
        finally:
            if spill:
                spill.close()
            self._drain.close()
            if self._tracer:
                self._tracer.close()
        return self.tally

    def _commit_beside(self, spill: Spill | None, stay: bool) -> None:
        committer = Committer(
            self._sink,
            self._observer,
            self._clock,
            mending=self._mending,
            spill=spill,
            keep_after_s=self._keep_after_s,
        )
        if spill:
            self.tally.kept_in = str(spill.folder)
        delivery = Delivery(committer, self._roster, self._scheduler, self.tally, self._tracer)
        try:
            self._pump(delivery, stay)
        except BaseException:
            self._sink.interrupt()  # an outage would be waited for, and for nothing
            raise
        finally:
            committer.close()
            delivery.settle_rest()

    def add(
        self, jobs: Mapping[str, str], specs: Sequence[StreamSpec], *, fresh: bool = False
    ) -> None:
        """Take in streams beside those that run; from any thread. See `Roster.add`."""
        self._roster.add(jobs, specs, fresh=fresh)

    def remove(self, stream: str) -> None:
        """Stop one stream, and no other; from any thread. See `Roster.remove`."""
        self._roster.remove(stream)

    def streams(self) -> set[str]:
        """Those that are here: named, open, or about to leave; from any thread."""
        return self._roster.names()

    def stop(self) -> None:
        """Finish what is decoded, commit it, and return from `run`; what takes longer than
        `drain_s`, a sink that is away too, is cut off. Callable from any thread."""
        self._drain.ask()

    def _pump(self, delivery: Delivery, stay: bool) -> None:
        busy = False
        while not self._roster.empty or delivery.busy or (stay and not self._drain.asked):
            self.turned_s = self._clock()
            delivery.claim()
            busy |= delivery.settle()
            if self._drain.asked:
                self._flight.land()
                self._ending.look()
            self._scheduler.wake(self._roster.stop_removed())
            if opened := self._roster.open_next():
                self._scheduler.enter(opened)
                self._scheduler.wake(self._relief.regard())
            self._intake.ask(self._scheduler.take_hungry())
            if busy:
                self._accept(0.0)
            else:
                with self._observer.stage(WAIT):
                    self._accept(self._idle_s(delivery))
            busy = self._work(delivery)

    def _idle_s(self, delivery: Delivery) -> float:
        """How long the loop may wait for frames; it has waited for the sink already where only that
        lets a stream go on."""
        due_s = max(0.0, min(IDLE_WAIT_S, self._scheduler.due_s - self._clock()))
        if not self._scheduler.blocked and (self._lanes or not delivery.busy):
            return due_s
        delivery.wait(min(due_s, SINK_WAIT_S))
        return 0.0

    def _accept(self, timeout_s: float) -> None:
        for stream, news in self._intake.take(timeout_s):
            lane = self._lanes[stream]
            if isinstance(news, Trouble):
                lane.report(news)
            else:
                lane.queue.accept(lane.shortfall.thin(news))
            self._scheduler.wake([stream])
            if lane.live:  # told at once: the next commit may be long in coming
                presence = lane.queue.presence
                self.tally.turn(stream, presence.state, presence.why)

    def _work(self, delivery: Delivery) -> bool:
        """One batch, where there is one, and all that can be done without; whether there was.

        No more at a time: trouble of cameras that is not read is not told.
        """
        self._advance(delivery)
        while self._drop():
            self._advance(delivery)
        self._intake.ask(self._scheduler.take_hungry())  # so that decoding goes on meanwhile
        return self._flight.turn()

    def _drop(self) -> bool:
        """Live frames whose turn comes too late; whether there were any."""
        cut, oldest_s = self._drain.cut_s is not None, self._clock() - self._max_age_s
        gone = self._scheduler.cut_off() if cut else self._scheduler.expire(oldest_s)
        if gone:
            self._flight.land()
        for stream, taken in gone:
            self._lanes[stream].skip(taken, "drain" if cut else "late")
            self._scheduler.wake([stream])
        return bool(gone)

    def _advance(self, delivery: Delivery) -> None:
        open_before = len(self._lanes)
        for lane in self._scheduler.woken(self._clock()):
            while (step := lane.advance()) is not None:
                if isinstance(step, Commit):
                    delivery.put(step)
                elif step.repeats:
                    self._flight.echo(step)
                else:
                    self._offer(lane, step)
            if lane.over:
                assert lane.end
                self._roster.leave(lane, Outcome.of(lane.end, lane.why, resumed=lane.resumed))
        if len(self._lanes) < open_before:  # whoever is left may have to give up something now
            self._scheduler.wake(self._relief.regard())
            self._advance(delivery)

    def _offer(self, lane: Lane, frames: Frames) -> None:
        self._scheduler.offer(lane, frames, self._clock(), patient=not self._roster.endless)
        if frames.share is not None:
            self.tally.shares[lane.stream] = frames.share
        if lane.live:
            self.tally.measure(lane.stream, frames.drift)

    def _give_up(self, away: SinkAway) -> None:
        """No record goes out any more: recordings wait for another day, cameras cannot."""
        self.tally.given_up = str(away)
        self._intake.stop(self._lanes)
        cameras = [lane for lane in self._lanes.values() if lane.live]
        until_s = self._clock() + COUNT_S
        while self._clock() < until_s and (unsaid := [c for c in cameras if not c.queue.closing]):
            self._intake.ask(lane.stream for lane in unsaid)
            self._accept(IDLE_WAIT_S)
        for lane in cameras:
            self.tally.undelivered[lane.stream] += lane.queue.unconfirmed
        for lane in list(self._lanes.values()):
            stopped = Outcome(lane.stream, "stopped", str(away), resumed=lane.resumed)
            self._roster.leave(lane, stopped)
