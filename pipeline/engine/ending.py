"""How a run that is to stop comes to its end: no more is begun, then no more is computed."""

from __future__ import annotations

from collections.abc import Callable

from pipeline.engine.drain import Drain
from pipeline.engine.intake import Intake
from pipeline.engine.lane import Lane
from pipeline.engine.roster import Roster
from pipeline.engine.scheduler import Scheduler
from pipeline.engine.tally import Outcome
from pipeline.stream.chunk import End

SILENCE_S = 2.0  # what a decoder is given to speak after the time to drain
SILENT = "its decoder did not end in time; what it held is in no count"


class Ending:
    """Belongs to the shard's loop, once somebody has asked for the end."""

    def __init__(
        self,
        drain: Drain,
        intake: Intake,
        roster: Roster,
        scheduler: Scheduler,
        clock: Callable[[], float],
    ) -> None:
        """
        Args:
            drain: says when the time is over.
            intake: where nothing more is to come from.
            roster: whose streams end.
            scheduler: is told of them.
            clock: seconds, monotonic.
        """
        self._drain = drain
        self._intake = intake
        self._roster = roster
        self._scheduler = scheduler
        self._clock = clock
        self._begun = False

    def look(self) -> None:
        """Come to the end as far as it is time."""
        lanes = self._roster.lanes
        if not self._begun:
            self._begun = True
            self._roster.begin_no_more()
            self._intake.stop(lanes)
        self._drain.look()
        if (cut_s := self._drain.cut_s) is None:
            return
        for lane in list(lanes.values()):
            if not lane.live:
                if not lane.queue.ended:
                    self._abandon(lane)
            elif not lane.queue.closing and self._clock() >= cut_s + SILENCE_S:
                self._intake.leave(lane.stream)
                lane.queue.accept([End(lane.stream, "stopped", SILENT, lost=lane.lost)])
                self._scheduler.wake([lane.stream])

    def _abandon(self, lane: Lane) -> None:
        """A recording goes on another day, from its last commit."""
        stream = lane.stream
        self._scheduler.discard(stream)
        self._intake.leave(stream)
        self._roster.leave(lane, Outcome(stream, "stopped", resumed=lane.resumed))
