"""Whether a job is alive, has started and is ready, as Kubernetes asks. Pure but for the clock.

Alive never depends on cameras or the sink: starting anew helps neither.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

from pipeline.control.board import Board
from pipeline.engine.tally import Tally

TURN_S = 60.0  # a turn of the loop is one batch at most; on a slow CPU that takes seconds


class Watched(Protocol):
    """A run as far as its health goes."""

    @property
    def tally(self) -> Tally: ...

    @property
    def turned_s(self) -> float | None:
        """When its loop last turned, seconds of the monotonic clock; None: not at work yet."""


class Health:
    """Every method says in one line what is amiss, or nothing."""

    def __init__(
        self, run: Watched, board: Board, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """
        Args:
            run: the job.
            board: how its streams fare.
            clock: seconds, monotonic.
        """
        self._run = run
        self._board = board
        self._clock = clock

    def dead(self) -> str:
        """Its loop stands still."""
        turned_s = self._run.turned_s
        still_s = 0.0 if turned_s is None else self._clock() - turned_s
        return f"the loop has stood still for {still_s:.0f} s" if still_s > TURN_S else ""

    def not_started(self) -> str:
        """It loads weights, or waits for its engines."""
        return "starting" if self._run.turned_s is None else ""

    def not_ready(self) -> str:
        """Nothing comes out: it starts, its sink is away, or no stream is there."""
        if starting := self.not_started():
            return starting
        if self._run.tally.outage is not None:
            return "the sink is away"
        states = {one.state for one in self._board.fared().values()}
        if states and not states & {"live", "connecting", "paused"}:
            return f"no stream is live: {', '.join(sorted(states))}"
        return ""
