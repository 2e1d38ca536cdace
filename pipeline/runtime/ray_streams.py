"""Which streams a job on Ray has, and which of its engines has which."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence

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
            late_s = self._clock() - COMING_S
            self._coming = {
                name: added_s
                for name, added_s in self._coming.items()
                if name not in here and added_s > late_s
            }
            return here | self._coming.keys() | self._moving.keys()

    def tally(self) -> Tally:
        """What has been done so far, by all engines."""
        with self._lock:
            of = {spec.stream: worker for worker in self._workers for spec in worker.specs}
            of |= {stream: target for stream, (_, _, target) in self._moving.items()}
            parts = [
                (worker.before + worker.tally).parted(
                    {stream for stream, other in of.items() if other is not worker}
                )
                for worker in self._workers
            ]
        return sum((gone for gone, _ in parts), Tally()) + sum((rest for _, rest in parts), Tally())

    def see(self, worker: Worker, tally: Tally) -> None:
        """How busy an engine is is known from what it says of itself."""
        with self._lock:
            self._balance.see(worker.index, tally, self._clock())

    def forget(self, worker: Worker) -> None:
        """Another engine has its place."""
        with self._lock:
            self._balance.forget(worker.index)

    def look(self) -> None:
        """Have a camera go elsewhere where that helps, and begin there once it has ended."""
        with self._lock:
            for stream, (_, source, target) in list(self._moving.items()):
                if not (source.engine.up and stream in source.tally.here):
                    spec, _, _ = self._moving.pop(stream)
                    self._give(spec, source if target.over else target)
            if not self._moving:
                self._move()

    def _move(self) -> None:
        cameras = {
            worker.index: {spec.stream for spec in worker.specs if spec.live}
            for worker in self._workers
            if worker.engine.up and not (worker.over or worker.engine.told)
        }
        if (move := self._balance.move(cameras)) is None:
            return
        source, target = self._workers[move.source], self._workers[move.target]
        (spec,) = [spec for spec in source.specs if spec.stream == move.stream]
        source.specs = [one for one in source.specs if one is not spec]
        self._moving[move.stream] = spec, source, target
        source.engine.actor.remove.remote(move.stream)
        log.info("%s goes to another engine: its own has too much to do", move.stream)

    def _give(self, spec: StreamSpec, worker: Worker) -> None:
        self._coming[spec.stream] = self._clock()
        worker.specs = [*worker.specs, spec]
        worker.engine.actor.add.remote({spec.stream: self.jobs[spec.stream]}, [spec])

    def add(self, specs: Sequence[StreamSpec]) -> None:
        """Give each to the engine that has the least to do."""
        with self._lock:
            self.specs = {**self.specs, **{spec.stream: spec for spec in specs}}
            if self._identity is None:
                self._waiting += specs
                return
            for spec in specs:
                self.jobs = {**self.jobs, **self._identity.jobs([spec])}
                for worker in self._workers:  # one that had ended comes again
                    worker.specs = [one for one in worker.specs if one.stream != spec.stream]
                counts = {worker.index: len(worker.specs) for worker in self._workers}
                self._give(spec, self._workers[self._balance.idlest(counts)])

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
