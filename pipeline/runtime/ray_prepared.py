"""An engine that gets its weights before anybody needs it."""

from __future__ import annotations

from typing import Any

import ray

from pipeline.runtime.ray_engine import Engine, Starter

AGAIN_S = 30.0  # after one that could not begin


class Prepared:
    """Of one job; it has no streams yet."""

    def __init__(self, engine: Engine, starter: Starter) -> None:
        """
        Args:
            engine: that was just started.
            starter: that started it.
        """
        self.engine = engine
        self._starter = starter
        self._assembled: ray.ObjectRef[Any] = engine.actor.assemble.remote()

    def ready(self) -> bool:
        """Whether it is. To be asked again and again: it ends itself if nobody speaks to it.

        Raises:
            Exception: it is lost, or cannot have its weights.
        """
        self.engine.pulse.take()
        if self.engine.node:
            return True
        if not ray.wait([self._assembled], timeout=0)[0]:
            self._starter.see_that_it_starts(self.engine)
            return False
        ray.get(self._assembled)
        self.engine.pulse.expect()
        self.engine.node = self._starter.home(self.engine)
        return True
