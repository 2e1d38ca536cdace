"""The loop of one engine: feed -> lanes -> batches -> engine -> sink. The same in every runtime.

Pulls: a lane asks for its next chunk when it has room, so memory is bounded by construction.
"""

from __future__ import annotations

import math
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from pipeline.batching import Batch, Batcher
from pipeline.chunk import Chunk, Entry, Frames
from pipeline.decode.spec import StreamSpec
from pipeline.engine import Engine
from pipeline.feed import Feed
from pipeline.lane import Commit, Lane
from pipeline.message import Publisher
from pipeline.sinks.sink import Message, Receipt, Sink

LIVE_BATCH_WAIT_S = 0.2  # a live frame waits no longer than this for batch mates
IDLE_WAIT_S = 0.25  # how long a loop without work waits before it looks at `stop` again


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one stream ended.

    Attributes:
        status: `Progress.status`.
        detail: why, where it is not ok.
        decoded, lost: frames, as the decoder counted them in this run.
        memory_bytes: peak resident memory of its decode process.
        resumed: it went on from an earlier run, or was complete before.
        unfinished: a later run may have more of it.
    """

    stream: str
    status: str
    detail: str = ""
    decoded: int = 0
    lost: int = 0
    memory_bytes: int = 0
    resumed: bool = False
    unfinished: bool = False


@dataclass(slots=True)
class Tally:
    """What a shard has done so far. Another thread may read it at any time.

    Attributes:
        frames: through the backbone.
        receipt: what the sink did with the records.
        records: records per topic.
        outcomes: streams that have ended.
        batches: number of streams in a batch -> batches.
        shares: stream -> part of its footage that is decoded, where that is known.
        failures: `Engine.failures`.
    """

    frames: int = 0
    receipt: Receipt = field(default_factory=Receipt)
    records: Counter[str] = field(default_factory=Counter)
    outcomes: list[Outcome] = field(default_factory=list)
    batches: Counter[int] = field(default_factory=Counter)
    shares: dict[str, float] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            self.frames + other.frames,
            self.receipt + other.receipt,
            self.records + other.records,
            self.outcomes + other.outcomes,
            self.batches + other.batches,
            self.shares | other.shares,
            self.failures + other.failures,
        )


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
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """
        Args:
            publisher: makes the message builder of a stream.
            open_streams: how many streams decode at a time; the others wait their turn.
            batch_wait_s: no frame waits longer than this for batch mates (live). None: for as long
                as frames that could fill its batch are awaited (recorded); no result changes.
            clock: seconds, monotonic.
        """
        self._engine = engine
        self._feed = feed
        self._sink = sink
        self._publisher = publisher
        self._open_streams = open_streams
        self._batch_wait_s = math.inf if batch_wait_s is None else batch_wait_s
        self._clock = clock
        self._batcher = Batcher(engine.batch_size)
        self._lanes: dict[str, Lane] = {}
        self._waiting: deque[StreamSpec] = deque()
        self._asked: set[str] = set()
        self._resumed: set[str] = set()
        self._stopping = threading.Event()
        self.tally = Tally(failures=engine.failures)

    def run(
        self,
        jobs: Mapping[str, str],
        specs: Sequence[StreamSpec],
        *,
        labels: Sequence[Message] = (),
        fresh: bool = False,
    ) -> Tally:
        """Process the streams to their ends, or until `stop`.

        Args:
            jobs: stream -> its job, under which its progress is kept.
            specs: the streams.
            labels: label sets to publish before the first record that needs them.
            fresh: forget earlier progress.

        Raises:
            SinkError: results could not be committed; all that was committed stays.
        """
        claimed = self._sink.claim({spec.stream: jobs[spec.stream] for spec in specs}, fresh=fresh)
        for spec in specs:
            progress = claimed[spec.stream]
            if progress.position:
                self._resumed.add(spec.stream)
            if progress.done:
                self.tally.outcomes.append(Outcome(spec.stream, progress.status, resumed=True))
                continue
            self._lanes[spec.stream] = Lane(
                progress, self._engine.placements, self._publisher(spec.stream), live=spec.live
            )
            self._waiting.append(replace(spec, cursor=progress.cursor, epoch=progress.epoch))
        if self._waiting:
            self._sink.publish(labels)
        self._pump()
        return self.tally

    def stop(self) -> None:
        """Finish what is decoded, commit it, and return from `run`. Callable from any thread."""
        self._stopping.set()

    def _pump(self) -> None:
        open_lanes: dict[str, Lane] = {}
        told = False
        while self._waiting or open_lanes:
            if self._stopping.is_set() and not told:
                told = True
                self._waiting.clear()
                for stream in open_lanes:
                    self._feed.stop(stream)
            self._open(open_lanes)
            self._request(open_lanes)
            for chunk in self._feed.wait(self._patience_s()):
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
                self._commit(step)
        if lane.end and not lane.waits_for_batch:
            self._finish(lane, lanes)

    def _commit(self, commit: Commit) -> None:
        self.tally.receipt += self._sink.commit(commit.messages, commit.progress)
        self.tally.records.update(message.topic for message in commit.messages)

    def _finish(self, lane: Lane, lanes: dict[str, Lane]) -> None:
        end = lane.end
        assert end is not None
        del lanes[lane.stream]
        self.tally.outcomes.append(
            Outcome(
                lane.stream,
                end.outcome,
                end.detail,
                end.decoded,
                end.lost,
                end.memory_bytes,
                lane.stream in self._resumed,
                end.unfinished,
            )
        )
