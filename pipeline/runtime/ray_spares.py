"""Engines that wait, with their weights, to take the place of one that is lost."""

from __future__ import annotations

import logging
from collections.abc import Callable
from itertools import count

from pipeline.runtime.ray_engine import Engine, Starter
from pipeline.runtime.ray_prepared import AGAIN_S, Prepared
from pipeline.runtime.ray_watch import is_lost, why_lost
from pipeline.runtime.ray_worker import SILENT_S, Worker

SETTLED_S = 15.0  # after one was taken: its cameras are connected anew, which needs the cores more

log = logging.getLogger(__name__)


class Spares:
    """Of one job."""

    def __init__(self, starter: Starter, number: int, clock: Callable[[], float]) -> None:
        """
        Args:
            starter: of new engines.
            number: that are to wait.
            clock: seconds, monotonic.
        """
        self._starter = starter
        self._number = number
        self._clock = clock
        self._names = (f"spare {index}" for index in count(1))
        self._waiting: list[Prepared] = []
        self._not_before_s = 0.0  # another one is started

    def look(self, *, calm: bool) -> None:
        """Speak to those that wait, and start those that are missing.

        Args:
            calm: every engine is at work.
        """
        for spare in list(self._waiting):
            try:
                spare.ready()
            except Exception as error:  # of whatever kind: engines that work are not harmed by it
                why = why_lost(error) if is_lost(error) else str(error)
                log.warning("a spare engine is let go: %s", why)
                spare.engine.kill()
                self._waiting.remove(spare)
                self._not_before_s = self._clock() + AGAIN_S
        if calm and len(self._waiting) < self._number and self._clock() >= self._not_before_s:
            engine = self._starter.start(next(self._names))
            self._waiting.append(Prepared(engine, self._starter))

    def take(self, worker: Worker) -> Engine:
        """One for the place of an engine that is lost: the oldest that waits, which may still be
        loading, on a node that is not lost too, and is heard of; where none does, a new one."""
        for spare in self._waiting:
            engine = spare.engine
            if self._starter.trusts(engine.node) and engine.pulse.silent_s <= SILENT_S:
                self._waiting.remove(spare)
                self._not_before_s = self._clock() + SETTLED_S
                return engine
        return self._starter.start(worker.name, after=worker.engine)

    def close(self) -> None:
        """Nobody waits any more."""
        for spare in self._waiting:
            spare.engine.kill()
        self._waiting.clear()
