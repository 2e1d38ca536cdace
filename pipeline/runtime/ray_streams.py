"""Which streams a job on Ray has, and which of its engines has which."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence

from pipeline.engine.identity import Identity
from pipeline.runtime.ray_worker import Worker
from pipeline.stream.spec import StreamSpec

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
            return here | self._coming.keys()

    def add(self, specs: Sequence[StreamSpec]) -> None:
        """Give each to the engine that has the fewest."""
        with self._lock:
            self.specs = {**self.specs, **{spec.stream: spec for spec in specs}}
            if self._identity is None:
                self._waiting += specs
                return
            for spec in specs:
                jobs = self._identity.jobs([spec])
                self.jobs = {**self.jobs, **jobs}
                self._coming[spec.stream] = self._clock()
                for worker in self._workers:  # one that had ended comes again
                    worker.specs = [one for one in worker.specs if one.stream != spec.stream]
                worker = min(self._workers, key=lambda one: len(one.specs))
                worker.specs = [*worker.specs, spec]
                worker.engine.actor.add.remote(jobs, [spec])

    def remove(self, stream: str) -> None:
        """Have its engine let it go."""
        with self._lock:
            self._coming.pop(stream, None)
            self._waiting = [spec for spec in self._waiting if spec.stream != stream]
            for worker in self._workers:
                if any(spec.stream == stream for spec in worker.specs):
                    worker.specs = [spec for spec in worker.specs if spec.stream != stream]
                    worker.engine.actor.remove.remote(stream)
