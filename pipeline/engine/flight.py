"""A GPU computes the next batch while records are made of the one before.

A batch is left open for as long as the loop needs to launch another one, where there is one at
once; a camera's records never wait for frames that are still to come.
"""

from __future__ import annotations

from collections.abc import Callable

from pipeline.engine.launched import Launched
from pipeline.engine.observer import Observer
from pipeline.engine.relief import Relief
from pipeline.engine.scheduler import Scheduler
from pipeline.engine.speaker import Lanes
from pipeline.engine.step import Engine
from pipeline.engine.tally import Tally
from pipeline.stream.chunk import Frames


class Flight:
    """Batches of one shard, in their order; at most one of them is open. On a CPU none is."""

    def __init__(
        self,
        engine: Engine,
        lanes: Lanes,
        scheduler: Scheduler,
        relief: Relief,
        tally: Tally,
        observer: Observer,
        clock: Callable[[], float],
    ) -> None:
        """
        Args:
            engine: what computes.
            lanes: stream -> lane, of those that are open; none leaves with frames in a batch.
            scheduler: says what is next, and hears of what is done.
            relief: hears whether it was in time.
            tally: counts what is done.
            observer: hears of every stage.
            clock: seconds, monotonic.
        """
        self._engine = engine
        self._lanes = lanes
        self._scheduler = scheduler
        self._relief = relief
        self._tally = tally
        self._observer = observer
        self._clock = clock
        self._open: tuple[Launched, float] | None = None  # and when it was cut

    def turn(self) -> bool:
        """Launch the next batch, where there is one, and finish the one before; whether there was
        either."""
        began_s = self._clock()
        batch = self._scheduler.cut(began_s, more_to_come=self._open is not None)
        if batch is None and self._open is None:
            self._scheduler.wake(self._relief.rest(began_s))
            return False
        launched = self._engine.launch(batch, self._lanes, self._observer) if batch else None
        changed = self.land()
        if launched:
            self._open = launched, began_s
            if changed or not launched.can_wait:
                self.land()
            if changed:
                self._relief.repeat()
        return True

    def echo(self, frames: Frames) -> None:
        """Hand a lane its frames that repeat one, which cost no pass."""
        lane = self._lanes[frames.stream]
        self._engine.echo(frames, lane)
        self._tally.unchanged += len(frames.infos)
        done_s = self._clock()
        lane.times.compute(done_s, done_s)

    def land(self) -> bool:
        """Finish the batch that is open: before a lane leaves, or drops frames behind those;
        whether something is given up since, or taken back."""
        if self._open is None:
            return False
        (launched, began_s), self._open = self._open, None
        batch = launched.batch
        self._engine.finish(launched, self._lanes, self._observer)
        done_s = self._clock()
        self._tally.frames += len(batch.frames.infos)
        self._tally.batches[len(batch.streams)] += 1
        late = self._scheduler.done(batch, began_s, done_s)
        changed = self._relief.see(late, done_s)
        self._scheduler.wake(changed)
        return bool(changed)
