"""More engines while all have too much to do, fewer after a long lull, within configured bounds."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from pipeline.runtime.ray_engine import Starter
from pipeline.runtime.ray_sinks import Sinks
from pipeline.runtime.ray_streams import Streams
from pipeline.runtime.ray_worker import Worker

log = logging.getLogger(__name__)

AGAIN_S = 60.0  # after a look at a cluster without room


class Growth:
    """Of one job."""

    def __init__(
        self,
        starter: Starter,
        streams: Streams,
        sinks: Sinks,
        bounds: tuple[int, int],
        clock: Callable[[], float],
    ) -> None:
        """
        Args:
            starter: of new engines.
            streams: know how busy engines are.
            sinks: what they write through.
            bounds: fewest and most engines.
            clock: seconds, monotonic.
        """
        self._starter = starter
        self._streams = streams
        self._sinks = sinks
        self._fewest, self._most = bounds
        self._clock = clock
        self._not_before_s = 0.0

    def look(self, workers: Sequence[Worker]) -> Worker | None:
        """One more, where it is needed and there is room for it; nobody has begun it yet. One that
        is not needed is told to end once its streams have left it."""
        here = [worker for worker in workers if not (worker.over or worker.leaves)]
        if len(here) < self._most and self._streams.crowded():
            return self._more(len(workers))
        if len(here) > self._fewest and (dispensable := self._streams.dispensable()):
            dispensable.leaves = True
            log.info("an engine has little to do: the others take its streams, and it ends")
        alone = all(worker.grown for worker in here)  # the streams of the job have ended
        for worker in workers:
            idle = worker.engine.up and not worker.tally.here and not worker.over
            if idle and (worker.leaves or (alone and worker.grown)):
                worker.engine.stop()
        return None

    def _more(self, index: int) -> Worker | None:
        if self._clock() < self._not_before_s:
            return None
        engine = self._starter.one_more(f"engine {index + 1}")
        self._not_before_s = self._clock() + AGAIN_S
        if engine is None:
            return None
        log.info("all engines have too much to do: one more is started")
        self._sinks.more()
        return Worker(index, [], engine, grown=True)
