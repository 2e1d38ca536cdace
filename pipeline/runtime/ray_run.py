"""Runs a job as actors of a Ray cluster: engines, their decode actors, and the sinks.

What is lost is replaced: an engine that dies, or is silent, by one that goes on from the last
commit. Knows nothing of frames.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import ray
from ray.actor import ActorHandle
from ray.exceptions import RayError, RayTaskError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from operators.errors import DinostreamError
from pipeline.config import Config
from pipeline.decode.spec import StreamSpec
from pipeline.errors import RuntimeFailure
from pipeline.identity import Identity
from pipeline.message import labels_message
from pipeline.runtime.ray_actors import GROUPS, EngineActor, SinkActor
from pipeline.runtime.ray_cluster import cluster
from pipeline.runtime.ray_watch import POLL_S, Lost, Patience, Pulse, answer, is_lost
from pipeline.sinks.sink import Message
from pipeline.sinks.uri import SqliteAddress, parse_sink_uri
from pipeline.tally import Tally

log = logging.getLogger(__name__)

LIVES_WITHOUT_PROGRESS = 3  # an engine that dies so often without a new frame ends the job


@dataclass(slots=True)
class _Sink:
    actor: ActorHandle
    pulse: Pulse[str]


@dataclass(slots=True, eq=False)
class _Worker:
    """One engine of the job and the streams that stay on it."""

    index: int
    specs: list[StreamSpec]
    engine: ActorHandle
    pulse: Pulse[Tally]
    sink: _Sink | None = None
    labels: list[Message] = field(default_factory=list)
    call: ray.ObjectRef[Any] | None = None
    claimed: bool = False  # an engine has taken the streams over
    told: bool = False  # this engine, to stop
    over: bool = False  # all its streams have ended
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
        patience: Patience | None = None,
    ) -> None:
        """The arguments are those of `InlineRun`, and how long actors may be silent."""
        self._config = config
        self._specs = specs
        self._fresh = fresh
        self._tell = tell
        self._patience = patience or Patience()
        self._workers: list[_Worker] = []
        self._sinks: list[_Sink] = []
        self._jobs: dict[str, str] = {}
        self._gpus = 0  # of each engine
        self._failures: set[str] = set()
        self._stopping = threading.Event()

    @property
    def tally(self) -> Tally:
        """What has been done so far."""
        return sum((worker.before + worker.tally for worker in self._workers), Tally())

    def run(self) -> Tally:
        """To the end of every stream, or until `stop`.

        Raises:
            DinostreamError: bad weights, heads or settings, a cluster that cannot be joined, a sink
                that failed, or an engine that dies again and again.
        """
        with cluster(self._config.address):
            try:
                identity = self._assemble()
                self._tell(identity)
                self._jobs = identity.jobs(self._specs)
                self._open_sinks()
                labels = [labels_message(name, rows) for name, rows in identity.labels.items()]
                self._workers[0].labels = labels  # said once per job, not once per engine
                for worker, tally in self._ask(self._begin):
                    self._hear(worker, tally)
                    worker.over = True
                    ray.kill(worker.engine)  # its device and memory are free for others
                if not self.tally.given_up:  # else they are in an attempt that nobody waits for
                    self._close_sinks()
            except RayTaskError as error:
                raise _own(error) from None
            except RayError as error:
                raise RuntimeFailure(f"Ray failed: {error}") from error
            return self.tally

    def stop(self) -> None:
        """Drain: finish what is decoded, commit it, return from `run`."""
        self._stopping.set()

    def _assemble(self) -> Identity:
        count = min(self._config.engines, len(self._specs))
        self._gpus = 1 if ray.cluster_resources().get("GPU", 0) >= count else 0
        for index in range(count):
            specs = list(self._specs[index::count])
            self._workers.append(_Worker(index, specs, *self._new_engine(specs)))
        asked = self._ask(lambda worker: worker.engine.assemble.remote())
        identities = {worker.index: identity for worker, identity in asked}
        identity: Identity = identities[0]
        return identity

    def _begin(self, worker: _Worker) -> ray.ObjectRef[Tally]:
        assert worker.sink
        call: ray.ObjectRef[Tally] = worker.engine.run.remote(
            self._jobs,
            worker.specs,
            worker.sink.actor,
            worker.labels,
            fresh=self._fresh and not worker.claimed,
            again=worker.claimed,
        )
        return call

    def _new_engine(self, specs: Sequence[StreamSpec]) -> tuple[ActorHandle, Pulse[Tally]]:
        new = ray.remote(num_cpus=0, num_gpus=self._gpus, concurrency_groups=GROUPS)(EngineActor)
        decoders = min(self._config.decoders, len(specs))
        engine = new.remote(self._config, decoders, self._patience)
        return engine, Pulse(engine.beat.remote, self._patience)

    def _open_sinks(self) -> None:
        """One per engine, or one for all where the sink is a file, which has one writer.

        A sink actor that dies comes back by itself; the engines that claimed with it go down with
        it and go on from what the sink then holds.
        """
        sink, count = self._config.sink, len(self._workers)
        new = ray.remote(num_cpus=0, max_restarts=-1, concurrency_groups=GROUPS)(SinkActor)
        address = parse_sink_uri(sink.uri)
        if isinstance(address, SqliteAddress):
            here = NodeAffinitySchedulingStrategy(
                ray.get_runtime_context().get_node_id(), soft=False
            )
            new = new.options(scheduling_strategy=here)  # the file is the driver's
            actors = [new.remote(f"sqlite:{address.path.absolute()}", sink.settings)]
        else:
            actors = [new.remote(sink.uri, sink.settings) for _ in range(count)]
        self._sinks = [_Sink(actor, Pulse(actor.beat.remote, self._patience)) for actor in actors]
        for worker in self._workers:
            worker.sink = self._sinks[worker.index % len(self._sinks)]

    def _close_sinks(self) -> None:
        for sink in self._sinks:
            try:
                answer(sink.actor.close.remote(), sink.pulse)
            except Exception as error:
                if not is_lost(error):
                    raise
                log.warning("a sink was lost while it closed; what was committed stays: %s", error)

    def _ask(self, begin: Callable[[_Worker], ray.ObjectRef[Any]]) -> Iterator[tuple[_Worker, Any]]:
        """Call every engine and give what it answers, however often it has to be replaced."""
        waiting = list(self._workers)
        for worker in waiting:
            worker.call = begin(worker)
        while waiting:
            if self._stopping.is_set():
                self._drain(waiting)
            ray.wait([worker.call for worker in waiting], timeout=POLL_S)
            self._look_after_sinks()
            for worker in self._workers:
                try:
                    self._listen(worker)
                    if worker not in waiting or not ray.wait([worker.call], timeout=0)[0]:
                        continue
                    result = ray.get(worker.call)
                except Exception as error:
                    if not is_lost(error):
                        raise
                    self._replace(worker, error)
                    if worker in waiting:
                        worker.call = begin(worker)
                    continue
                waiting.remove(worker)
                yield worker, result

    def _listen(self, worker: _Worker) -> None:
        tally = None if worker.over else worker.pulse.take()
        if tally is None:
            return
        if tally.frames > worker.tally.frames:
            worker.deaths = 0
        worker.claimed = True
        self._hear(worker, tally)

    def _hear(self, worker: _Worker, tally: Tally) -> None:
        """What an engine has done; how its operators failed is said here, where somebody reads."""
        worker.tally = tally
        for failure in tally.failures:
            if failure not in self._failures:
                self._failures.add(failure)
                log.error("%s", failure)

    def _replace(self, worker: _Worker, error: Exception) -> None:
        """A new engine goes on from the last commit."""
        why = str(error) if isinstance(error, Lost) else type(error).__name__
        if isinstance(error, Lost) and not worker.pulse.heard:
            log.warning("an engine has not started (%s); has the cluster room for it?", why)
        else:
            self._count_death(worker, error)
            log.warning("an engine is lost (%s); its streams go on from their last commit", why)
        ray.kill(worker.engine)  # it may live: stopped, cut off, or only its sink was lost
        done = replace(worker.tally, outage=None)  # whether there is one, its successor says
        worker.before, worker.tally = worker.before + done, Tally()
        worker.engine, worker.pulse = self._new_engine(worker.specs)
        worker.told = False

    def _count_death(self, worker: _Worker, error: Exception) -> None:
        worker.deaths += 1
        if worker.deaths > LIVES_WITHOUT_PROGRESS:
            raise RuntimeFailure(
                f"an engine died {worker.deaths} times without a new frame: {error}"
            )

    def _look_after_sinks(self) -> None:
        """A sink that is silent is killed, so that Ray starts it again."""
        for sink in self._sinks:
            try:
                sink.pulse.take()
            except Exception as error:
                if not is_lost(error):
                    raise
                if isinstance(error, Lost):
                    log.warning("a sink is silent (%s) and is started again", error)
                    ray.kill(sink.actor, no_restart=False)
                sink.pulse.begin_again()

    def _drain(self, workers: Sequence[_Worker]) -> None:
        for worker in workers:
            if not worker.told:
                worker.told = True
                worker.engine.stop.remote()


def _own(error: RayTaskError) -> DinostreamError:
    """What went wrong in an actor, as the error it was there."""
    if isinstance(error.cause, DinostreamError):
        return error.cause
    log.error("%s", error)  # with the calls that led there
    return RuntimeFailure(f"an actor failed: {error.cause!r}")
