"""How long frames of live streams take from capture until their records are in the sink. Pure."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, get_args

from pipeline.stream.chunk import Frames

Stage = Literal["decode", "batch", "compute", "commit"]
STAGES: tuple[Stage, ...] = get_args(Stage)
"""Capture -> decoded, as far as the stream's own time tells -> in a batch -> through all operators
-> in the sink."""

BOUNDS_S = (0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 3.0, 5.0, 10.0, 30.0)


@dataclass(slots=True)
class Histogram:
    """Durations in classes.

    Attributes:
        counts: durations up to each of BOUNDS_S and above the bound before it; the last: above all.
        sum_s: of all durations.
    """

    counts: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS_S) + 1))
    sum_s: float = 0.0

    def add(self, seconds: float) -> None:
        """Another one."""
        self.counts[bisect_left(BOUNDS_S, seconds)] += 1
        self.sum_s += seconds

    def __add__(self, other: Histogram) -> Histogram:
        counts = [one + more for one, more in zip(self.counts, other.counts, strict=True)]
        return Histogram(counts, self.sum_s + other.sum_s)

    def quantile(self, part: float) -> float | None:
        """Seconds that this part of them, 0 to 1, did not exceed: within its class on a straight
        line, above the last bound that bound, as Prometheus' `histogram_quantile` has it; None
        where there are none."""
        wanted = part * sum(self.counts)
        if not wanted:
            return None
        reached, below_s = 0, 0.0
        for count, bound_s in zip(self.counts, BOUNDS_S, strict=False):
            if count and reached + count >= wanted:
                return below_s + (bound_s - below_s) * (wanted - reached) / count
            reached, below_s = reached + count, bound_s
        return below_s


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
        return self + Latency()


class Spent(NamedTuple):
    """Seconds of one frame in every one of `STAGES`."""

    decode_s: float
    batch_s: float
    compute_s: float
    commit_s: float


class _Decoded(NamedTuple):
    decode_s: float
    arrived_s: float
    ingest_time_us: int


class FrameTimes:
    """When frames of one live stream that are not in the sink yet came from stage to stage.

    Attributes:
        newest_us: wall clock at which the newest frame that is in the sink was decoded; 0: none is.
    """

    def __init__(self) -> None:
        self._released: list[_Decoded] = []
        self._computed: list[tuple[_Decoded, float, float]] = []
        self._sent: list[tuple[_Decoded, float, float]] = []
        self.newest_us = 0

    def release(self, run: Frames, first: int, frames: int) -> None:
        """So many frames of a run, from this one on, have been through the operators."""
        part = slice(first, first + frames)
        for info, arrived_s in zip(run.infos[part], run.arrived_s[part], strict=False):
            decode_s = max(0.0, (info.ingest_time_us - info.event_time_us) / 1e6)
            self._released.append(_Decoded(decode_s, arrived_s, info.ingest_time_us))

    def compute(self, batched_s: float, computed_s: float) -> float:
        """Those that were released since the last time were cut into a batch, and done, then; the
        age that the oldest of them had by then, seconds."""
        released, self._released = self._released, []
        self._computed += [(one, batched_s, computed_s) for one in released]
        return max((computed_s - one.arrived_s for one in released), default=0.0)

    def send(self) -> None:
        """What is computed is on its way to the sink; what was on its way before is there."""
        self._sent, self._computed = self._computed, []

    def confirm(self, acknowledged_s: float) -> list[Spent]:
        """What was on its way is in the sink; what its frames took."""
        sent, self._sent = self._sent, []
        if sent:
            self.newest_us = sent[-1][0].ingest_time_us
        return [
            Spent(
                frame.decode_s,
                batched_s - frame.arrived_s,
                computed_s - batched_s,
                acknowledged_s - computed_s,
            )
            for frame, batched_s, computed_s in sent
        ]
