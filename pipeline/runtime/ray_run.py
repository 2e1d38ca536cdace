"""Runs a job as actors of a Ray cluster: engines, their decode actors, and the sinks.

A dead engine is replaced and goes on from the last commit. Knows nothing of frames.
"""

from __future__ import annotations

import io
import logging
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field

import ray
from ray.actor import ActorHandle
from ray.exceptions import GetTimeoutError, RayActorError, RayTaskError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from operators.errors import DinostreamError
from pipeline.config import Config
from pipeline.decode.spec import StreamSpec
from pipeline.errors import RuntimeFailure
from pipeline.identity import Identity
from pipeline.message import labels_message
from pipeline.runtime.ray_actors import EngineActor, SinkActor
from pipeline.sinks.sink import Message
from pipeline.sinks.uri import SqliteAddress, parse_sink_uri
from pipeline.tally import Tally

log = logging.getLogger(__name__)

POLL_S = 0.5
CLOSE_S = 60.0  # a sink's own deadlines are shorter
LIVES_WITHOUT_PROGRESS = 3  # an engine that dies so often without a new frame ends the job
OBJECT_STORE_BYTES = 512 << 20  # some forty chunks of 518 px frames


@dataclass(slots=True)
class _Worker:
    """One engine of the job and the streams that stay on it."""

    engine: ActorHandle
    specs: list[StreamSpec]
    sink: ActorHandle | None = None
    labels: list[Message] = field(default_factory=list)
    call: ray.ObjectRef[Tally] | None = None
    before: Tally = field(default_factory=Tally)  # what its dead predecessors did
    tally: Tally = field(default_factory=Tally)
    deaths: int = 0  # since the last new frame


class RayRun:
    """One job. `run` blocks; `stop` and `tally` may be used from other threads meanwhile."""

    def __init__(
        self,
        config: Config,
        specs: Sequence[StreamSpec],
        *,
        fresh: bool,
        tell: Callable[[Identity], None],
    ) -> None:
        """The arguments are those of `InlineRun`."""
        self._config = config
        self._specs = specs
        self._fresh = fresh
        self._tell = tell
        self._workers: list[_Worker] = []
        self._jobs: dict[str, str] = {}
        self._failures: set[str] = set()
        self._stopping = threading.Event()

    @property
    def tally(self) -> Tally:
        """What has been done so far."""
        return sum((worker.before + worker.tally for worker in self._workers), Tally())

    def run(self) -> Tally:
        """To the end of every stream, or until `stop`.

        Raises:
            DinostreamError: bad weights, heads or settings, a sink that failed, or an engine that
                dies again and again.
        """
        with _cluster(self._config.address):
            try:
                self._start()
                self._watch()
                if not self.tally.given_up:  # else they are in an attempt that nobody waits for
                    sinks = {worker.sink for worker in self._workers if worker.sink}
                    ray.get([sink.close.remote() for sink in sinks], timeout=CLOSE_S)
            except RayTaskError as error:
                raise _own(error) from None
            return self.tally

    def stop(self) -> None:
        """Drain: finish what is decoded, commit it, return from `run`."""
        self._stopping.set()

    def _start(self) -> None:
        count = min(self._config.engines, len(self._specs))
        self._workers = [
            _Worker(self._new_engine(own, count), own)
            for own in (list(self._specs[index::count]) for index in range(count))
        ]
        identities = ray.get([worker.engine.assemble.remote() for worker in self._workers])
        identity: Identity = identities[0]
        self._tell(identity)
        self._jobs = identity.jobs(self._specs)
        for worker, sink in zip(self._workers, self._sinks(count), strict=True):
            worker.sink = sink
        labels = [labels_message(name, rows) for name, rows in identity.labels.items()]
        self._workers[0].labels = labels  # said once per job, not once per engine
        for worker in self._workers:
            self._call(worker, fresh=self._fresh, again=False)

    def _sinks(self, count: int) -> list[ActorHandle]:
        """One per engine, or one for all where the sink is a file, which has one writer.

        A sink actor that dies comes back by itself; the engine that was committing goes down with
        it and goes on from what the sink then holds.
        """
        sink = self._config.sink
        new = ray.remote(num_cpus=0, max_restarts=-1)(SinkActor)
        address = parse_sink_uri(sink.uri)
        if isinstance(address, SqliteAddress):
            here = NodeAffinitySchedulingStrategy(
                ray.get_runtime_context().get_node_id(), soft=False
            )
            new = new.options(scheduling_strategy=here)  # the file is the driver's
            return [new.remote(f"sqlite:{address.path.absolute()}", sink.settings)] * count
        return [new.remote(sink.uri, sink.settings) for _ in range(count)]

    def _new_engine(self, specs: Sequence[StreamSpec], count: int) -> ActorHandle:
        gpus = 1 if ray.cluster_resources().get("GPU", 0) >= count else 0
        new = ray.remote(num_cpus=0, num_gpus=gpus, max_concurrency=2)(EngineActor)
        return new.remote(self._config, min(self._config.decoders, len(specs)))

    def _call(self, worker: _Worker, *, fresh: bool, again: bool) -> None:
        worker.call = worker.engine.run.remote(
            self._jobs, worker.specs, worker.sink, worker.labels, fresh, again
        )

    def _watch(self) -> None:
        told = False
        while running := [worker for worker in self._workers if worker.call is not None]:
            done, _ = ray.wait([worker.call for worker in running], timeout=POLL_S)
            for worker in running:
                if worker.call in done:
                    self._finish(worker)
                else:
                    self._poll(worker)
            if self._stopping.is_set() and not told:
                told = True
                for worker in running:
                    worker.engine.stop.remote()

    def _poll(self, worker: _Worker) -> None:
        try:
            tally: Tally = ray.get(worker.engine.tally.remote(), timeout=POLL_S)
        except (RayActorError, GetTimeoutError):
            return  # `_finish` sees a death
        if tally.frames > worker.tally.frames:
            worker.deaths = 0
        self._hear(worker, tally)

    def _hear(self, worker: _Worker, tally: Tally) -> None:
        """What an engine has done; how its operators failed is said here, where somebody reads."""
        worker.tally = tally
        for failure in tally.failures:
            if failure not in self._failures:
                self._failures.add(failure)
                log.error("%s", failure)

    def _finish(self, worker: _Worker) -> None:
        call, worker.call = worker.call, None
        try:
            self._hear(worker, ray.get(call))
        except RayTaskError as error:
            if not isinstance(error.cause, RayActorError):
                raise
            self._revive(worker, error.cause)
        except RayActorError as error:
            self._revive(worker, error)

    def _revive(self, worker: _Worker, error: Exception) -> None:
        """A new engine goes on from the last commit."""
        worker.deaths += 1
        if worker.deaths > LIVES_WITHOUT_PROGRESS:
            raise RuntimeFailure(
                f"an engine died {worker.deaths} times without a new frame: {error}"
            )
        log.warning("an engine died and is replaced; its streams go on from their last commit")
        worker.before, worker.tally = worker.before + worker.tally, Tally()
        ray.kill(worker.engine)
        worker.engine = self._new_engine(worker.specs, len(self._workers))
        self._call(worker, fresh=False, again=True)
        if self._stopping.is_set():
            worker.engine.stop.remote()


@contextmanager
def _cluster(address: str | None) -> Iterator[None]:
    """Join a cluster, or start one here for the job: quiet, no dashboard, no statistics."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ENABLE_UV_RUN_RUNTIME_ENV", "0")
    logging.getLogger("ray").setLevel(logging.ERROR)
    with _handlers_kept():
        ray.init(
            address=address,
            include_dashboard=None if address else False,
            object_store_memory=None if address else OBJECT_STORE_BYTES,
            configure_logging=False,
            log_to_driver=False,
        )
    try:
        with redirect_stdout(_Murmur()):
            yield
    finally:
        ray.shutdown()


@contextmanager
def _handlers_kept() -> Iterator[None]:
    """Ray's core takes SIGTERM for a crash and aborts (2.60); whoever asked for it gets it back."""
    if threading.current_thread() is not threading.main_thread():
        yield  # where nobody may set handlers
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        if handler is not None:  # else it was not Python's
            signal.signal(number, handler)


class _Murmur(io.TextIOBase):
    """Ray prints the deaths of workers to stdout, where our report goes, whatever it is told."""

    def write(self, text: str) -> int:
        if text.strip():
            log.debug("%s", text.strip())
        return len(text)


def _own(error: RayTaskError) -> DinostreamError:
    """What went wrong in an actor, as the error it was there."""
    if isinstance(error.cause, DinostreamError):
        return error.cause
    log.error("%s", error)  # with the calls that led there
    return RuntimeFailure(f"an actor failed: {error.cause!r}")
