"""The sink actors of a job: started, looked after, closed."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import ray
from ray.actor import ActorHandle
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from pipeline.configuration.config import SinkConfig
from pipeline.logs import level_in_use
from pipeline.runtime.ray_sink import SinkActor
from pipeline.runtime.ray_watch import GROUPS, Patience, Pulse, answer, is_lost, why_lost
from pipeline.sinks.address import SqliteAddress, parse_sink_uri

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Sink:
    actor: ActorHandle
    pulse: Pulse[bool]


class Sinks:
    """One per engine, or one for all where the sink is a file, which has one writer.

    Who claimed with a sink actor writes through that one alone: where it dies the engine begins
    again, with another. So it begins where its engine is, whose node takes both along and no other
    engine; the one behind it begins with the driver, whose node is there as long as the job.
    """

    def __init__(self, patience: Patience, clock: Callable[[], float]) -> None:
        """
        Args:
            patience: how long an actor may be silent.
            clock: seconds, monotonic.
        """
        self._patience = patience
        self._clock = clock
        self._sinks: list[_Sink] = []
        self._file = False
        self._here = ""  # the driver's node
        self._start: Callable[[int, str], ActorHandle] | None = None

    def open(self, sink: SinkConfig, homes: Sequence[str]) -> None:
        """Start the actors for engines on these nodes; empty: nobody knows where one is."""
        kind = ray.remote(num_cpus=0, concurrency_groups=GROUPS)(SinkActor)
        address, uri = parse_sink_uri(sink.uri), sink.uri
        self._here = ray.get_runtime_context().get_node_id()
        if isinstance(address, SqliteAddress):
            self._file, uri, homes = True, f"sqlite:{address.path.absolute()}", [self._here]

        def start(index: int, node: str) -> ActorHandle:
            there = NodeAffinitySchedulingStrategy(node, soft=False)
            log_as = (f"sink {index + 1}", level_in_use())
            return kind.options(scheduling_strategy=there).remote(uri, sink.settings, *log_as)

        self._start = start
        self._sinks = [self._new(index, node or self._here) for index, node in enumerate(homes)]

    def more(self) -> None:
        """One more engine comes, of the next index."""
        if not self._file:
            self._sinks.append(self._new(len(self._sinks), self._here))

    def leave(self, engine: int, lost: ActorHandle | None) -> None:
        """The engine of this index begins anew; what it writes through then is there by then.

        Args:
            engine: its index.
            lost: what it wrote through, where it lost that; else it is lost itself, which leaves a
                file's sink as it is.
        """
        if not self._sinks:
            return
        index = engine % len(self._sinks)
        if lost is self._sinks[index].actor or not (lost or self._file):
            self._replace(index)

    def of(self, engine: int) -> ActorHandle:
        """The actor that the engine of this index writes through."""
        return self._sinks[engine % len(self._sinks)].actor

    def look_after(self) -> None:
        """Another one takes the place of one that is lost."""
        for index, sink in enumerate(self._sinks):
            try:
                sink.pulse.take()
            except Exception as error:
                if not is_lost(error):
                    raise
                log.warning("a sink is lost (%s): another one is started", why_lost(error))
                self._replace(index)

    def close(self, look: Callable[[], None]) -> None:
        """Have them flush and let go.

        Args:
            look: called again and again meanwhile; one that is lost, by what this raises too, is
                left as it is.
        """
        for sink in self._sinks:
            try:
                answer(sink.actor.close.remote(), sink.pulse, look)
                sink.pulse.hear_out()
            except Exception as error:
                if not is_lost(error):
                    raise
                log.warning("a sink was lost while it closed; what was committed stays: %s", error)

    def _replace(self, index: int) -> None:
        ray.kill(self._sinks[index].actor)  # it may live: stopped, or cut off
        self._sinks[index] = self._new(index, self._here)

    def _new(self, index: int, node: str) -> _Sink:
        assert self._start
        actor = self._start(index, node)
        return _Sink(actor, Pulse(actor.beat.remote, self._patience, self._clock))
