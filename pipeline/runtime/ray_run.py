"""Runs a job as actors of a Ray cluster: engines, their decode actors, and the sinks.

What is lost is replaced: an engine that dies, or is silent, by one that goes on from the last
commit. A run that is to end replaces nothing, and waits for no engine longer than it must. Knows
nothing of frames.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import ray
from ray.actor import ActorHandle
from ray.exceptions import ActorUnavailableError, RayError, RayTaskError

from operators.errors import DinostreamError
from pipeline.configuration.config import Config
from pipeline.engine.identity import Identity
from pipeline.engine.tally import Tally
from pipeline.errors import RuntimeFailure
from pipeline.records.message import labels_message
from pipeline.runtime.ray_cluster import cluster
from pipeline.runtime.ray_engine import Engine, Starter
from pipeline.runtime.ray_engine_actor import EngineActor
from pipeline.runtime.ray_growth import Growth
from pipeline.runtime.ray_nodes import Nodes
from pipeline.runtime.ray_sinks import Sinks
from pipeline.runtime.ray_spares import Spares
from pipeline.runtime.ray_streams import Streams
from pipeline.runtime.ray_succession import Succession
from pipeline.runtime.ray_watch import POLL_S, Lost, Patience, SinkLost, is_lost, why_lost
from pipeline.runtime.ray_worker import Worker
from pipeline.stream.spec import StreamSpec

log = logging.getLogger(__name__)

HEAR_S = 5.0  # after `stop`, for an engine to say that it is at work
MARGIN_S = 20.0  # after the time to drain, for the step, the commit and the decoders it cuts off


class RayRun:
    """One job. `run` blocks; `stop` and `tally` may be used from other threads meanwhile."""

    def __init__(
        self,
        config: Config,
        specs: Sequence[StreamSpec],
        *,
        fresh: bool,
        tell: Callable[[Identity], None],
        stay: bool = False,
        patience: Patience | None = None,
        clock: Callable[[], float] = time.monotonic,
        engine: type[EngineActor] = EngineActor,
    ) -> None:
        """The arguments are those of `InlineRun`, how long actors may be silent, a clock in
        seconds, monotonic, and what an engine is."""
        self._config = config
        self._streams = Streams(specs, clock)
        self._stay = stay
        self.turned_s: float | None = None  # when the loop last did, once all engines are at work
        self._fresh = fresh
        self._tell = tell
        self._patience = patience or Patience()
        self._clock = clock
        self._workers: list[Worker] = []
        self._nodes = Nodes()
        self._starter = Starter(engine, config, self._nodes, self._patience, clock)
        self._sinks = Sinks(self._patience, clock)
        self._succession = Succession(self._starter, self._nodes, self._sinks.of, clock)
        bounds = (config.engines, max(config.engines, config.engines_max or 0))
        self._growth = Growth(self._starter, self._streams, self._sinks, bounds, clock)
        self._spares = Spares(self._starter, config.spare_engines, clock)
        self._stopping = threading.Event()
        self._asked_s = 0.0  # when
        self._most_s = config.drain_s + MARGIN_S  # from then on, for engines to end

    @property
    def tally(self) -> Tally:
        """What has been done so far."""
        return self._streams.tally()

    def run(self) -> Tally:
        """To the end of every stream, or until `stop`.

        Raises:
            DinostreamError: bad weights, heads or settings, a cluster that cannot be joined, a sink
                that failed, or an engine that dies again and again.
        """
        with cluster(self._config.address) as own:
            try:
                self._nodes.begin()
                identity = self._assemble(own)
                if identity is None:  # stopped before that
                    return self.tally
                self._tell(identity)
                homes = [self._nodes.of(worker.engine.actor) for worker in self._workers]
                self._sinks.open(self._config.sink, homes)
                labels = [labels_message(name, rows) for name, rows in identity.labels.items()]
                self._workers[0].labels = labels  # said once per job, not once per engine
                self._streams.deal(identity)
                for worker, tally in self._ask(self._begin):
                    worker.tally = tally
                    if self._goes_on(worker):
                        continue
                    worker.over = True
                    worker.engine.kill()
                if not self.tally.given_up:  # else they are in an attempt that nobody waits for
                    self._sinks.close(self._hurry)
            except RayTaskError as error:
                raise _own(error) from None
            except RayError as error:
                raise RuntimeFailure(f"Ray failed: {error}") from error
            finally:
                self._succession.close()
                self._spares.close()
                self._nodes.close()
            return self.tally

    @property
    def specs(self) -> Mapping[str, StreamSpec]:
        """Every stream that is in the run, or was."""
        return self._streams.specs

    def streams(self) -> set[str]:
        """Those that are in the run."""
        return self._streams.names()

    def check(self, spec: StreamSpec) -> None:
        """Refuse a stream on which no operator runs."""
        self._streams.check(spec)

    def add(self, specs: Sequence[StreamSpec]) -> None:
        """Take in streams beside those that run, on the engines that have the least to do."""
        self._streams.add(specs)

    def remove(self, stream: str) -> None:
        """Stop one stream, and no other."""
        self._streams.remove(stream)

    def stop(self) -> None:
        """Drain: finish what is decoded, commit it, return from `run`. Engines that are not at work
        are given up soon, the others `MARGIN_S` after the time to drain."""
        self._asked_s = self._clock()
        self._stopping.set()

    def _assemble(self, own: bool) -> Identity | None:
        engines = self._starter.begin(len(self._streams.specs), own=own, stay=self._stay)
        self._workers += [Worker(index, [], engine) for index, engine in enumerate(engines)]
        self._streams.share(self._workers)
        answers = self._ask(lambda worker: worker.engine.actor.assemble.remote())
        identities: list[Identity] = [identity for _, identity in answers]
        return identities[0] if identities else None

    def _begin(self, worker: Worker) -> ray.ObjectRef[Tally]:
        worker.sink = self._sinks.of(worker.index)
        call: ray.ObjectRef[Tally] = worker.engine.actor.run.remote(
            self._streams.jobs,
            worker.specs,
            worker.sink,
            worker.labels,
            fresh=self._fresh and not worker.claimed,
            again=worker.claimed,
            stay=self._stay or worker.grown,
        )
        return call

    def _ask(self, begin: Callable[[Worker], ray.ObjectRef[Any]]) -> Iterator[tuple[Worker, Any]]:
        """Call every engine and give what it answers, however often it has to be replaced."""
        for worker in self._workers:
            worker.call = None if worker.over else begin(worker)
        while calls := [one.call for one in self._workers if one.call is not None]:
            ray.wait(calls, timeout=POLL_S)
            self._sinks.look_after()
            self._succession.look(self._workers)
            self._streams.look()
            if more := self._growth.look(self._workers):
                self._workers.append(more)
                more.call = begin(more)
            for worker in self._workers:
                try:
                    self._listen(worker)
                    if worker.call is None or not ray.wait([worker.call], timeout=0)[0]:
                        continue
                    worker.engine.pulse.hear_out()  # also where the call has failed
                    result = ray.get(worker.call)
                except Exception as error:
                    if not is_lost(error):
                        raise
                    self._replace(worker, error)
                    if worker.call is not None:
                        worker.call = begin(worker)
                    continue
                worker.call = None
                yield worker, result
            if self._stopping.is_set():
                self._drain()
            else:
                self._nodes.require_own()
            # Begun with all engines at work; from then on an engine may be lost and be missed.
            at_work = all(worker.engine.up or worker.over for worker in self._workers)
            self._spares.look(calm=at_work and not self._stopping.is_set())
            if at_work or self.turned_s is not None:
                self.turned_s = self._clock()

    def _listen(self, worker: Worker) -> None:
        if worker.over:
            return
        news = worker.engine.pulse.take()
        if news is None:
            self._starter.see_that_it_starts(worker.engine)
            return
        if not worker.engine.up:
            worker.engine.node = self._starter.home(worker.engine)
        worker.hear(news)
        self._streams.see(worker)

    def _replace(self, worker: Worker, error: Exception) -> None:
        """A new engine goes on from the last commit, or the same one, which has lost its sink; none
        does where the run is to end."""
        cause = error.cause if isinstance(error, RayTaskError) else error
        why = why_lost(cause)
        if self._stopping.is_set():
            worker.give_up(f"an engine was lost while the run ended ({why})")
            return
        if isinstance(cause, SinkLost):
            worker.die(error)
            log.warning("an engine has lost its sink (%s); it goes on from the last commit", why)
            self._succeed(worker, worker.tally, worker.engine.again(), lost=worker.sink)
            return
        if isinstance(error, Lost) and not worker.engine.pulse.heard:
            log.warning(
                "an engine has not started (%s): %s", why, self._starter.needs(worker.engine)
            )
        else:
            worker.die(error)
            log.warning("an engine is lost (%s); its streams go on from their last commit", why)
        # Else the engine itself said so, or its node, of a process that has died there.
        unreachable = cause is error and isinstance(error, Lost | ActorUnavailableError)
        if worker.engine.node and unreachable:
            self._starter.avoid(worker.engine.node)
        worker.engine.kill()
        self._succeed(worker, worker.tally, self._succession.take(worker))

    def _goes_on(self, worker: Worker) -> bool:
        """An engine has ended because its node is to go, and another one goes on."""
        successor = self._succession.take(worker)
        if successor is None:
            return False
        here = {spec.stream for spec in worker.specs}
        outcomes = worker.tally.outcomes
        ended = [one for one in outcomes if one.status != "stopped" or one.stream not in here]
        done = len(here & {outcome.stream for outcome in ended}) == len(here) and not self._stay
        if done or self._stopping.is_set() or worker.tally.given_up:
            successor.kill()
            return False
        worker.engine.kill()
        self._succeed(worker, replace(worker.tally, outcomes=ended), successor)
        worker.call = self._begin(worker)
        return True

    def _succeed(
        self,
        worker: Worker,
        done: Tally,
        successor: Engine | None,
        lost: ActorHandle | None = None,
    ) -> None:
        """Another engine has its place, or the same one, where it has lost its sink."""
        self._sinks.leave(worker.index, lost)
        worker.go_on(done, successor or self._spares.take(worker))
        self._streams.forget(worker)

    def _drain(self) -> None:
        """Have the engines end, and end without those that do not."""
        asked_s = self._clock() - self._asked_s
        for worker in (one for one in self._workers if not one.over):
            worker.engine.stop()
            if not worker.engine.up and asked_s >= HEAR_S:
                worker.give_up("an engine was not at work when the run was stopped")
            elif asked_s >= self._most_s:
                worker.give_up(f"an engine did not end in {self._most_s:g} s")

    def _hurry(self) -> None:
        """Raises `Lost` where nothing is waited for any more, be it only the end of a sink."""
        if self._stopping.is_set() and self._clock() - self._asked_s >= self._most_s + MARGIN_S:
            raise Lost("the time to end is over")


def _own(error: RayTaskError) -> DinostreamError:
    """What went wrong in an actor, as the error it was there."""
    if isinstance(error.cause, DinostreamError):
        return error.cause
    log.error("%s", error)  # with the calls that led there
    return RuntimeFailure(f"an actor failed: {error.cause!r}")
