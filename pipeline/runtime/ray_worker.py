"""One place for an engine in a job on Ray: its streams, and the engines that have it in turn."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import Any

import ray
from ray.actor import ActorHandle

from pipeline.engine.tally import Outcome, Tally
from pipeline.errors import RuntimeFailure
from pipeline.records.record import Message
from pipeline.runtime.ray_engine import Engine
from pipeline.sinks.spill.backlog import amount
from pipeline.stream.spec import StreamSpec

log = logging.getLogger(__name__)

LIVES_WITHOUT_PROGRESS = 3  # an engine that dies more often before it commits ends the job

SILENT_S = 10.0  # twenty heartbeats; one takes a moment, even of an engine at full load
SILENT = "nothing is heard of its engine"


@dataclass(slots=True, eq=False)
class Worker:
    """The streams that stay together, and who computes them now."""

    index: int
    specs: list[StreamSpec]
    engine: Engine
    labels: list[Message] = field(default_factory=list)
    sink: ActorHandle | None = None  # that its engine writes through
    call: ray.ObjectRef[Any] | None = None
    claimed: bool = False  # an engine has taken the streams over
    grown: bool = False  # it was added while the job ran, and waits for streams
    leaves: bool = False  # it has none any more, and is let go
    over: bool = False  # all its streams have ended
    before: Tally = field(default_factory=Tally)  # what its dead predecessors did
    tally: Tally = field(default_factory=Tally)
    deaths: int = 0  # since frames were committed

    @property
    def name(self) -> str:
        """Of its engines, in logs."""
        return f"engine {self.index + 1}"

    @property
    def so_far(self) -> Tally:
        """What its engines have done. Of one that is silent nobody knows whether its cameras are
        live, long before it is taken for lost."""
        silent = not self.over and self.engine.pulse.silent_s > SILENT_S
        return self.before + (self.tally.bereft(SILENT) if silent else self.tally)

    def hear(self, news: Tally) -> None:
        """What its engine says of itself while it is at work."""
        tally = news.upon(self.tally)
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

    def go_on(self, done: Tally, engine: Engine) -> None:
        """Have this engine from now on.

        Args:
            done: by the one before it, be it the same.
            engine: that is to be run.
        """
        why = "its engine has lost its sink" if engine is self.engine else "its engine is gone"
        if done.kept and engine is not self.engine:
            log.warning(
                "%s is gone: %s kept in %s on its node %s, from where the next engine sends them "
                "that begins there",
                *(self.name, amount(done.kept), done.kept_in, self.engine.node),
            )
        self.before, self.tally = self.before + done.bereft(why), Tally()
        self.engine = engine

    def give_up(self, why: str) -> None:
        """Nobody waits for its engine any more. Recordings stand at their last commit; what it and
        those before it held of cameras, it alone knew."""
        self.engine.kill()
        self.over, self.call = True, None
        ended = {outcome.stream for outcome in (self.before + self.tally).outcomes}
        left = [spec for spec in self.specs if spec.stream not in ended]
        stopped = [Outcome(spec.stream, "stopped", why, resumed=self.claimed) for spec in left]
        if cameras := ", ".join(spec.stream for spec in left if spec.live):
            why = f"{why}: how many frames of {cameras} were not delivered is not known"
        log.warning("%s", why)
        self.tally += Tally(outcomes=stopped, given_up=why if left and self.claimed else "")


def _committed(tally: Tally) -> int:
    """Grows with what an engine leaves to its successor: records, and frames of cameras, of which
    there may be nothing to record for days. Frames of recordings are done again where they are not
    committed, and events come in every life of an engine."""
    frames = sum(camera.frames for camera in tally.cameras.values())
    return frames + tally.records.total() - tally.records["events"]
