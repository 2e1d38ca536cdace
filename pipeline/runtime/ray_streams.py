"""Which streams a job on Ray has, and which of its engines has which."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from operators.errors import UsageError
from pipeline.engine.identity import Identity
from pipeline.engine.tally import Tally
from pipeline.runtime.balance import Balance
from pipeline.runtime.ray_worker import Worker
from pipeline.stream.spec import StreamSpec

log = logging.getLogger(__name__)

COMING_S = 10.0  # for an engine to say that a stream has come in


class Streams:
    """They come and go from any thread. An engine that dies takes none along: its successor begins
    with what the driver knows to be its streams.

    Attributes:
        specs: every stream that is here, or was.
        jobs: stream -> its job, once they are dealt.
    """

    def __init__(self, specs: Sequence[StreamSpec], clock: Callable[[], float]) -> None:
        """
        Args:
            specs: to begin with.
            clock: seconds, monotonic.
        """
        self.specs: Mapping[str, StreamSpec] = {spec.stream: spec for spec in specs}
        self.jobs: Mapping[str, str] = {}
        self._clock = clock
        self._lock = threading.Lock()
        self._waiting = list(specs)  # until they are dealt
        self._identity: Identity | None = None
        self._workers: Sequence[Worker] = ()
        self._coming: dict[str, float] = {}  # stream -> when it was added, until it is heard of
        self._balance = Balance()
        self._moving: dict[str, tuple[StreamSpec, Worker, Worker]] = {}  # from where, where to

    def share(self, workers: Sequence[Worker]) -> None:
        """Say which streams every engine is to have; more may come until they are dealt."""
        with self._lock:
            self._workers = workers
            self._share()

    def deal(self, identity: Identity) -> None:
        """Every engine has its streams to begin with; from here on they come and go one by one."""
        with self._lock:
            self._identity, self.jobs = identity, identity.jobs(self._waiting)
            self._share()

    def _share(self) -> None:
        for worker in self._workers:
            worker.specs = self._waiting[worker.index :: len(self._workers)]

    def names(self) -> set[str]:
        """Of those that are here: with an engine, on their way to one, or about to leave."""
        with self._lock:
            if self._identity is None:
                return {spec.stream for spec in self._waiting}
            here: set[str] = set()
            for worker in self._workers:
                here |= (
                    worker.tally.here if worker.engine.up else {one.stream for one in worker.specs}
                )
            self._coming = {
                name: added_s for name, added_s in self._coming.items() if name not in here
            }
            return here | self._arriving()

    def _arriving(self) -> set[str]:
        late_s = self._clock() - COMING_S
        coming = {name for name, added_s in self._coming.items() if added_s > late_s}
        return coming | self._moving.keys()

    def tally(self) -> Tally:
        """What has been done so far, by all engines."""
        with self._lock:
            of = {spec.stream: worker for worker in self._workers for spec in worker.specs}
            of |= {stream: target for stream, (_, _, target) in self._moving.items()}
            parts = [
                worker.so_far.parted(
                    {stream for stream, other in of.items() if other is not worker}
                )
                for worker in self._workers
            ]
            arriving = self._arriving()
        gone, rest = zip(*parts, strict=True) if parts else ((), ())
        whole = sum(rest, sum(gone, Tally()))
        ended = [
            one for one in whole.outcomes if one.status != "stopped" or one.stream not in arriving
        ]
        return replace(whole, outcomes=ended)

    def see(self, worker: Worker) -> None:
        """How busy an engine is is known from what it has said of itself."""
        with self._lock:
            self._balance.see(worker.index, worker.tally, self._clock())

    def forget(self, worker: Worker) -> None:
        """Another engine has its place."""
        with self._lock:
            self._balance.forget(worker.index)

    def look(self) -> None:
        """Have cameras go elsewhere where that helps, and begin there once they have ended."""
        with self._lock:
            for stream, (_, source, target) in list(self._moving.items()):
                if not (source.engine.up and stream in source.tally.here):
                    spec, _, _ = self._moving.pop(stream)
                    self._give(spec, source if target.over else target)
            if not self._moving:
                self._move()

    def crowded(self) -> bool:
        """All engines have had too much to do, and have cameras that another one could have."""
        with self._lock:
            working = self._working()
            cameras = [[s for s in self._workers[index].specs if s.live] for index in working]
            movable = any(len(some) > 1 for some in cameras)
            return movable and self._balance.crowded(working)

    def dispensable(self) -> Worker | None:
        """One whose streams the others could have too, and have from here on."""
        with self._lock:
            working = self._working()
            if self._moving or (index := self._balance.dispensable(working)) is None:
                return None
            others = self._counts(one for one in working if one != index)
            dispensable = self._workers[index]
            if not all(spec.live for spec in dispensable.specs):
                return None  # a recording stays where it is
            for spec in list(dispensable.specs):
                target = self._balance.idlest(others)
                others[target] += 1
                self._send(spec, dispensable, self._workers[target])
            return dispensable

    def _working(self) -> list[int]:
        return [
            worker.index
            for worker in self._workers
            if worker.engine.up and not (worker.over or worker.engine.told or worker.leaves)
        ]

    def _counts(self, indices: Iterable[int]) -> dict[int, int]:
        """How many streams each of these engines has."""
        return {index: len(self._workers[index].specs) for index in indices}

    def _move(self) -> None:
        cameras = {
            index: {spec.stream for spec in self._workers[index].specs if spec.live}
            for index in self._working()
        }
        if (move := self._balance.move(cameras)) is None:
            return
        source, target = self._workers[move.source], self._workers[move.target]
        log.info(
            "an engine has too much to do: %s go to another one (%s)",
            f"{len(move.streams)} of its {len(source.specs)} streams",
            ", ".join(move.streams),
        )
        for spec in [spec for spec in source.specs if spec.stream in move.streams]:
            self._send(spec, source, target)

    def _send(self, spec: StreamSpec, source: Worker, target: Worker) -> None:
        source.specs = [one for one in source.specs if one is not spec]
        self._moving[spec.stream] = spec, source, target
        source.engine.actor.remove.remote(spec.stream)

    def _give(self, spec: StreamSpec, worker: Worker) -> None:
        self._coming[spec.stream] = self._clock()
        worker.specs = [*worker.specs, spec]
        worker.engine.actor.add.remote({spec.stream: self.jobs[spec.stream]}, [spec])

    def check(self, spec: StreamSpec) -> None:
        """Refuse a stream on which no operator runs; see `Identity.jobs`."""
        with self._lock:
            if self._identity:
                self._identity.jobs([spec])

    def add(self, specs: Sequence[StreamSpec]) -> None:
        """Give each to the engine that has the least to do; none before they are dealt.

        Raises:
            UsageError: it is not known yet which operators run, or none does on one of them.
        """
        with self._lock:
            if self._identity is None:  # they could not be refused any more
                raise UsageError("the engines are not at work yet")
            self.jobs = {**self.jobs, **self._identity.jobs(specs)}
            self.specs = {**self.specs, **{spec.stream: spec for spec in specs}}
            for spec in specs:
                for worker in self._workers:  # one that had ended comes again
                    worker.specs = [one for one in worker.specs if one.stream != spec.stream]
                indices = self._working() or range(len(self._workers))
                self._give(spec, self._workers[self._balance.idlest(self._counts(indices))])

    def remove(self, stream: str) -> None:
        """Have its engine let it go."""
        with self._lock:
            self._coming.pop(stream, None)
            self._moving.pop(stream, None)  # it leaves as it is
            self._waiting = [spec for spec in self._waiting if spec.stream != stream]
            for worker in self._workers:
                if any(spec.stream == stream for spec in worker.specs):
                    worker.specs = [spec for spec in worker.specs if spec.stream != stream]
                    worker.engine.actor.remove.remote(stream)
