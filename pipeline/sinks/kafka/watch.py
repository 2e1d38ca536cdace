"""Whether somebody else has claimed a writer's streams, where no broker refuses its commits."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from pipeline.sinks.fence import fenced
from pipeline.sinks.kafka.deadline import Deadline
from pipeline.sinks.kafka.options import TRANSACTIONS
from pipeline.sinks.kafka.progress import standing
from pipeline.sinks.kafka.settings import KafkaSettings
from pipeline.stream.progress import Progress

LOOK_S = 5.0  # a look takes some 20 ms


class Watch:
    """Of one sink. With transactions it has nothing to do."""

    def __init__(
        self, settings: KafkaSettings, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._looked_s = clock()

    def look(self, held: Sequence[Progress], deadline: Deadline) -> None:
        """Read the claims, if they were not read for a while.

        Args:
            held: the streams that the writer takes for its own.
            deadline: for the read.

        Raises:
            FencedError: somebody has claimed one of them.
            Stalled, KafkaError: the cluster does not answer.
        """
        if self._settings.delivery == TRANSACTIONS or self._clock() - self._looked_s < LOOK_S:
            return
        jobs = {one.stream: one.job for one in held}
        with standing(self._settings, jobs, deadline) as found:
            found.read_claims(deadline)
        self._looked_s = self._clock()
        for one in held:
            if found.epoch(one.stream) > one.epoch:
                raise fenced(one.stream, found.epoch(one.stream), one.epoch)
