"""What one commit asks of the broker, and how long it takes, at two lengths of line."""

from __future__ import annotations

import statistics
from dataclasses import dataclass

from benchmarks.delivery.lap import timed
from benchmarks.delivery.line import Line
from benchmarks.delivery.load import CHUNK, LOADS, streams_of
from pipeline.sinks.uri import open_sink

DELAYS_S = (0.0, 0.025)  # in either direction
COMMITS = 20


@dataclass(frozen=True, slots=True)
class CommitCost:
    """Of one commit after another, each awaited.

    Attributes:
        round_trip_ms: of the line.
        median_ms: a commit took.
        requests: of each kind, a commit.
    """

    round_trip_ms: float
    median_ms: float
    requests: dict[str, float]

    def __str__(self) -> str:
        asked = ", ".join(f"{name} {count:.2f}" for name, count in sorted(self.requests.items()))
        return f"{self.round_trip_ms:3.0f} ms there and back: {self.median_ms:.0f} ms; {asked}"


def commit_costs(uri: str, line: Line) -> list[CommitCost]:
    return [_cost(uri, line, delay_s) for delay_s in DELAYS_S]


def _cost(uri: str, line: Line, delay_s: float) -> CommitCost:
    sink = open_sink(f"{uri}?topic_prefix=line")
    (stream,) = streams_of(1)
    claimed = sink.claim({stream: "job"}, fresh=True)
    first, *others = LOADS[0].commits(claimed, CHUNK * (COMMITS + 1))
    sink.commit([first])  # topics, connections, the stream's mark
    line.delay_s = delay_s
    line.requests.clear()
    laps = [timed(lambda one=one: sink.commit([one]), CHUNK) for one in others]
    asked = {name: count / COMMITS for name, count in line.requests.items()}
    line.delay_s = 0.0
    sink.close()
    return CommitCost(delay_s * 2000, statistics.median(lap.wall_s for lap in laps) * 1000, asked)
