"""How long a replay waits for its sink: all of a run's time beside what it spends waiting."""

from __future__ import annotations

import time
from dataclasses import dataclass

from pipeline.cli import main as dinostream
from pipeline.engine.committer import Committer

SOURCE = "synthetic:world?seed=1&seconds=20"


@dataclass(frozen=True, slots=True)
class ReplayCost:
    """Attributes:
    wall_s: of the whole command, starting included.
    waited_s: of it the loop had nothing to do before the sink had answered.
    """

    wall_s: float
    waited_s: float

    def __str__(self) -> str:
        return f"{self.waited_s:.2f} of {self.wall_s:.1f} s, {self.waited_s / self.wall_s:.1%}"


class Waits:
    """Adds up what engines of this process wait for their sinks, inside its block."""

    def __enter__(self) -> Waits:
        self.seconds = 0.0
        self._wait = Committer.wait

        def timed(committer: Committer, timeout_s: float) -> None:
            began_s = time.perf_counter()
            self._wait(committer, timeout_s)
            self.seconds += time.perf_counter() - began_s

        Committer.wait = timed  # type: ignore[method-assign]
        return self

    def __exit__(self, *_: object) -> None:
        Committer.wait = self._wait  # type: ignore[method-assign]


def replay_cost(uri: str) -> ReplayCost:
    """One inline replay of a rendered clip with the demo weights."""
    arguments = ["replay", SOURCE, "--weights", "demo", "--runtime", "inline", "--fresh"]
    began_s = time.perf_counter()
    with Waits() as waits:
        code = dinostream([*arguments, "--sink", uri])
    assert not code
    return ReplayCost(time.perf_counter() - began_s, waits.seconds)
