"""Hears what an engine's loop does while it does it: for figures, on which no record depends."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

BACKBONE, COMMIT, WAIT = "backbone", "commit", "wait"  # and every operator by its name


class Observer(Protocol):
    """Handed into a shard as its clock is. `COMMIT` is entered on the sink's thread, beside the
    others, which follow each other."""

    def stage(self, name: str, frames: int = 0) -> AbstractContextManager[None]:
        """Entered around a stage of the work: `BACKBONE`, an operator, `COMMIT`, or `WAIT` for
        frames or the sink; `frames`: how many go through it, where it is about frames."""
        ...


class StageSeconds:
    """Adds up how long every stage took. What a GPU computes counts for the stage that waits for
    it, an operator mostly: the backbone answers before it has computed."""

    def __init__(
        self, seconds: MutableMapping[str, float], clock: Callable[[], float] = time.perf_counter
    ) -> None:
        """
        Args:
            seconds: where to; another thread may read it.
            clock: seconds, monotonic.
        """
        self._seconds = seconds
        self._clock = clock

    @contextmanager
    def stage(self, name: str, frames: int = 0) -> Iterator[None]:
        began_s = self._clock()
        try:
            yield
        finally:
            self._seconds[name] = self._seconds.get(name, 0.0) + self._clock() - began_s


def shares(seconds: Mapping[str, float]) -> str:
    """`backbone 71%, waiting 20%, depth 9%, and beside them the sink 4%`: of the loops' time."""
    loop = {name: spent_s for name, spent_s in seconds.items() if name != COMMIT}
    total_s = sum(loop.values()) or 1.0
    largest_first = sorted(loop.items(), key=lambda one: -one[1])
    told = [
        f"{'waiting' if name == WAIT else name} {spent_s / total_s:.0%}"
        for name, spent_s in largest_first
    ]
    return ", ".join([*told, f"and beside them the sink {seconds.get(COMMIT, 0.0) / total_s:.0%}"])
