"""Engines leave a node before it goes: a drained or preempted one, a pod that is told to end.

Ray says which nodes those are. An engine there works on while another one, on a node that stays,
gets its weights; then it finishes what is decoded, commits it, and the other goes on from there. A
node that goes sooner takes its engine along as any that dies.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable

from ray.actor import ActorHandle

from pipeline.runtime.ray_engine import Engine, Starter
from pipeline.runtime.ray_nodes import Nodes
from pipeline.runtime.ray_prepared import AGAIN_S, Prepared
from pipeline.runtime.ray_watch import is_lost, why_lost
from pipeline.runtime.ray_worker import Worker

log = logging.getLogger(__name__)


class Succession:
    """Of one job. Knows which engines are to go, and who comes after them."""

    def __init__(
        self,
        starter: Starter,
        nodes: Nodes,
        sink_of: Callable[[int], ActorHandle],
        clock: Callable[[], float],
    ) -> None:
        """
        Args:
            starter: of new engines.
            nodes: of the cluster.
            sink_of: index of a worker -> the sink actor that it writes through, which may be on
                such a node too.
            clock: seconds, monotonic.
        """
        self._starter = starter
        self._sink_of = sink_of
        self._clock = clock
        self._nodes = nodes
        self._not_before_s = 0.0  # another one is started
        self._successors: dict[int, Prepared] = {}

    def look(self, workers: Iterable[Worker]) -> None:
        """Start who is needed; have those end whose successor is ready."""
        for worker in workers:
            if worker.over or not worker.engine.up:
                continue
            if (successor := self._successors.get(worker.index)) is None:
                self._start(worker)
            elif not worker.engine.told and self._is_ready(worker, successor):
                worker.engine.stop()

    def take(self, worker: Worker) -> Engine | None:
        """Who comes after its engine, where somebody is known to."""
        successor = self._successors.pop(worker.index, None)
        return successor.engine if successor else None

    def close(self) -> None:
        """Nobody comes after anybody any more."""
        for successor in self._successors.values():
            successor.engine.kill()
        self._successors.clear()

    def _start(self, worker: Worker) -> None:
        needed = (worker.engine.actor, self._sink_of(worker.index))
        if self._clock() < self._not_before_s or not self._nodes.are_leaving(*needed):
            return
        log.warning("a node is about to go: another engine takes over from the one there")
        engine = self._starter.start(worker.name)
        self._successors[worker.index] = Prepared(engine, self._starter)

    def _is_ready(self, worker: Worker, successor: Prepared) -> bool:
        try:
            return successor.ready()
        except Exception as error:  # of whatever kind: the engine that works is not harmed by it
            why = f"it was lost ({why_lost(error)})" if is_lost(error) else str(error)
            log.warning("an engine that was to take over could not begin: %s", why)
            successor.engine.kill()
            del self._successors[worker.index]
            self._not_before_s = self._clock() + AGAIN_S
            return False
