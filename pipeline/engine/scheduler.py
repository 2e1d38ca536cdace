"""Which frames of an engine's streams are computed next, and which streams want more.

A lane is looked at when something has happened to it: of a thousand cameras most have no news at
any one time. Knows nothing of decoders, sinks and devices; time is an argument.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping

from pipeline.engine.batching import Batch, Batcher, Size
from pipeline.engine.lane import Lane
from pipeline.engine.pace import Pace
from pipeline.stream.chunk import Frames

WAIT_SHARE = 0.2  # of a stream's latency, that its frames may wait for others to share their batch
# Of a late frame's age: a stream that has waited for the sink for so much of it would be no faster
# with a faster engine.
SINK_SHARE = 0.1


class Scheduler:
    """Of a shard's lanes.

    Attributes:
        pace: of batches and commits; whoever sees them tells.
    """

    def __init__(self, lanes: Mapping[str, Lane], batch_size: int) -> None:
        """
        Args:
            lanes: stream -> lane, of those that are open; they come and go meanwhile.
            batch_size: frames of a batch at most.
        """
        self._lanes = lanes
        self._batcher = Batcher(batch_size)
        self.pace = Pace(batch_size)
        self._woken: dict[str, None] = {}  # in order
        self._hungry: dict[str, None] = {}
        self._blocked: set[str] = set()

    def enter(self, streams: Iterable[str]) -> None:
        """These have just come, and want their first chunk."""
        self._hungry |= dict.fromkeys(streams)

    def wake(self, streams: Iterable[str]) -> None:
        """Something has happened to these lanes: they have news, or can go on."""
        self._woken |= dict.fromkeys(streams)

    def woken(self, now_s: float) -> Iterator[Lane]:
        """Lanes that something has happened to, until there are none; each is to be advanced before
        the next is asked for."""
        while self._woken:
            stream = next(iter(self._woken))
            del self._woken[stream]
            if lane := self._lanes.get(stream):
                yield lane
            self._note(stream, now_s)

    def _note(self, stream: str, now_s: float) -> None:
        lane = self._lanes.get(stream)
        if lane and lane.queue.hungry:
            self._hungry[stream] = None
        if lane and lane.waits_for_sink:
            self._blocked.add(stream)
            lane.times.sink_wait.begin(now_s)
        else:
            self._blocked.discard(stream)

    def take_hungry(self) -> list[str]:
        """Streams that have come to want another chunk since the last time."""
        hungry, self._hungry = self._hungry, {}
        return [stream for stream in hungry if stream in self._lanes]

    @property
    def blocked(self) -> bool:
        """Some stream goes on only when the sink has answered."""
        return bool(self._blocked)

    @property
    def due_s(self) -> float:
        """When frames that wait for a batch have waited long enough."""
        return self._batcher.due_s

    def offer(self, lane: Lane, frames: Frames, now_s: float, *, patient: bool) -> None:
        """A lane's next run waits for its batch.

        Args:
            lane: of the stream.
            frames: the run.
            now_s: on the clock of `Frames.arrived_s`.
            patient: only what has an end is open: it may wait for as long as others that could
                fill its batch are awaited.
        """
        latency_s = lane.spec.latency_ms / 1000
        due_s = math.inf if patient else now_s + WAIT_SHARE * latency_s
        if frames.arrived_s:
            lead_s = self.pace.lead_s(len(frames.infos))
            due_s = min(due_s, frames.arrived_s[0] + latency_s - lead_s)
        self._batcher.offer(frames, due_s, lane.spec.priority if lane.live else 0)

    def cut(self, now_s: float, *, more_to_come: bool = False) -> Batch | None:
        """The next batch; None where waiting fills it better, and nothing is due.

        Args:
            now_s: on the clock of `Frames.arrived_s`.
            more_to_come: streams of a batch that is not finished have more to offer after it.
        """
        return self._batcher.cut((lambda _: True) if more_to_come else self._may_come, now_s)

    def done(self, batch: Batch, began_s: float, done_s: float) -> bool:
        """A batch was cut and computed then; whether a frame of it came out later than its stream's
        latency allows, and the engine is why."""
        self.pace.see_batch(done_s - began_s)
        self.wake(batch.streams)
        lanes = [self._lanes[stream] for stream in batch.streams]
        return any([_too_slow(lane, *lane.times.compute(began_s, done_s)) for lane in lanes])

    def expire(self, oldest_s: float) -> list[tuple[str, tuple[int, ...]]]:
        """Frames of cameras that arrived before that moment are in no batch any more; per stream
        that lost some, which rules took each of them."""
        return self._batcher.expire(oldest_s)

    def cut_off(self) -> list[tuple[str, tuple[int, ...]]]:
        """No frame of a live stream is to be in a batch any more; told as in `expire`."""
        live = [lane.stream for lane in self._lanes.values() if lane.live]
        return [(stream, taken) for stream in live if (taken := self._batcher.discard(stream))]

    def discard(self, stream: str) -> None:
        """None of a stream's frames are to be in a batch any more."""
        self._batcher.discard(stream)

    def _may_come(self, size_hw: Size) -> bool:
        return any(
            lane.waits and (lane.size_hw is None or lane.size_hw == size_hw)
            for lane in self._lanes.values()
        )


def _too_slow(lane: Lane, age_s: float, sink_wait_s: float) -> bool:
    return age_s > lane.spec.latency_ms / 1000 and sink_wait_s < SINK_SHARE * age_s
