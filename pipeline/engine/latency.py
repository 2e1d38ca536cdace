"""How long frames of live streams take from capture until their records are in the sink. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, NamedTuple, get_args

from operators.frames import FrameInfo
from pipeline.engine.histogram import Histogram
from pipeline.engine.sink_wait import SinkWait
from pipeline.stream.chunk import Frames

Stage = Literal["decode", "batch", "compute", "commit"]
STAGES: tuple[Stage, ...] = get_args(Stage)
"""Capture -> decoded, as far as the stream's own time tells -> in a batch -> through all operators
-> in the sink."""


@dataclass(slots=True)
class Latency:
    """Of one stream.

    Attributes:
        total: from capture to the sink, of every frame.
        stages: the same by its parts.
    """

    total: Histogram = field(default_factory=Histogram)
    stages: dict[Stage, Histogram] = field(
        default_factory=lambda: {stage: Histogram() for stage in STAGES}
    )

    def add(self, spent: Spent) -> None:
        """A frame's."""
        self.total.add(sum(spent))
        for stage, spent_s in zip(STAGES, spent, strict=True):
            self.stages[stage].add(spent_s)

    def __add__(self, other: Latency) -> Latency:
        stages = {stage: self.stages[stage] + other.stages[stage] for stage in STAGES}
        return Latency(self.total + other.total, stages)

    def copy(self) -> Latency:
        """Another one that stays as this is now."""
        stages = {stage: one.copy() for stage, one in self.stages.items()}
        return Latency(self.total.copy(), stages)


class Spent(NamedTuple):
    """Seconds of one frame in every one of `STAGES`."""

    decode_s: float
    batch_s: float
    compute_s: float
    commit_s: float


class _Decoded(NamedTuple):
    info: FrameInfo
    decode_s: float
    arrived_s: float


class FrameTimes:
    """When frames of one live stream that are not in the sink yet came from stage to stage.

    Attributes:
        newest_us: wall clock at which the newest frame that is in the sink was decoded; 0: none is.
        confirmed: the frames that came there last.
        sink_wait: when the stream could not go on for the sink's sake; whoever sees that tells.
    """

    def __init__(self) -> None:
        self._released: list[_Decoded] = []
        self._computed: list[tuple[_Decoded, float, float]] = []
        self._sent: list[tuple[_Decoded, float, float]] = []
        self.newest_us = 0
        self.confirmed: list[FrameInfo] = []
        self.sink_wait = SinkWait()

    def release(self, run: Frames, first: int, frames: int) -> None:
        """So many frames of a run, from this one on, have been through the operators."""
        part = slice(first, first + frames)
        for info, arrived_s in zip(run.infos[part], run.arrived_s[part], strict=False):
            by_arrival_us = info.event_time_us - run.ahead_us  # a camera's clock may be hours off
            decode_s = max(0.0, (info.ingest_time_us - by_arrival_us) / 1e6)
            self._released.append(_Decoded(info, decode_s, arrived_s))

    def compute(self, batched_s: float, computed_s: float) -> tuple[float, float]:
        """Those that were released since the last time were cut into a batch, and done, then; the
        age that the oldest of them had by then, and for how long of it the stream had waited for
        the sink, seconds."""
        released, self._released = self._released, []
        self._computed += [(one, batched_s, computed_s) for one in released]
        if not released:
            return 0.0, 0.0
        arrived_s = min(one.arrived_s for one in released)
        return computed_s - arrived_s, self.sink_wait.after(arrived_s)

    def send(self) -> None:
        """What is computed is on its way to the sink; what was on its way before is there."""
        self._sent, self._computed = self._computed, []

    def keep(self) -> None:
        """What was on its way is kept on disk: nobody knows how long it will have taken."""
        self._sent = []

    def confirm(self, acknowledged_s: float) -> list[Spent]:
        """What was on its way is in the sink; what its frames took."""
        sent, self._sent = self._sent, []
        self.confirmed = [frame.info for frame, _, _ in sent]
        if sent:
            self.newest_us = self.confirmed[-1].ingest_time_us
        return [
            Spent(
                frame.decode_s,
                batched_s - frame.arrived_s,
                computed_s - batched_s,
                acknowledged_s - computed_s,
            )
            for frame, batched_s, computed_s in sent
        ]
