"""One place for an engine in a job on Ray: its streams, and the engines that have it in turn."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import ray

from pipeline.engine.tally import Tally
from pipeline.errors import RuntimeFailure
from pipeline.records.record import Message
from pipeline.runtime.ray_engine import Engine
from pipeline.stream.spec import StreamSpec

LIVES_WITHOUT_PROGRESS = 3  # an engine that dies more often before it commits ends the job


@dataclass(slots=True, eq=False)
class Worker:
    """The streams that stay together, and who computes them now."""

    index: int
    specs: list[StreamSpec]
    engine: Engine
    labels: list[Message] = field(default_factory=list)
    call: ray.ObjectRef[Any] | None = None
    claimed: bool = False  # an engine has taken the streams over
    grown: bool = False  # it was added while the job ran, and waits for streams
    leaves: bool = False  # it has none any more, and is let go
    over: bool = False  # all its streams have ended
    before: Tally = field(default_factory=Tally)  # what its dead predecessors did
    tally: Tally = field(default_factory=Tally)
    deaths: int = 0  # since frames were committed

    def hear(self, tally: Tally) -> None:
        """What its engine says of itself while it is at work."""
        if _committed(tally) > _committed(self.tally):
            self.deaths = 0
        self.claimed = self.engine.up = True
        self.tally = tally

    def die(self, error: Exception) -> None:
        """Its engine has died.

        Raises:
            RuntimeFailure: that has been so too often since frames were committed.
        """
        self.deaths += 1
        if self.deaths > LIVES_WITHOUT_PROGRESS:
            raise RuntimeFailure(
                f"an engine died {self.deaths} times without committing a frame: {error}"
            )


def _committed(tally: Tally) -> int:
    """Grows with what an engine leaves to its successor: records, and frames of cameras, of which
    there may be nothing to record for days. Frames of recordings are done again where they are not
    committed, and events come in every life of an engine."""
    frames = sum(camera.frames for camera in tally.cameras.values())
    return frames + tally.records.total() - tally.records["events"]
