"""A cluster with a job at work on it, and how long it takes until all is well again."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from benchmarks.cluster_trial.cluster import Cluster
from benchmarks.cluster_trial.deliveries import EVENTS, Delivery, wait_until
from benchmarks.cluster_trial.figure import Figure

CAMERAS = 4
CORES = 2  # of a worker, in name: an engine and its decoders want 1.5
FRESH_S = 2.0  # a stream at work has a record every half second
STEADY_S = 3.0


class Stage:
    """Two workers, a driver and four cameras, unless it is said otherwise.

    Attributes:
        cluster: all machines.
        cameras: all that are well.
        streams: stream -> URL.
        job: the one that was started last.
    """

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.cameras = cluster.start_cameras(CAMERAS)
        self.streams = self.cameras.urls
        cluster.start("head")

    def begin(self, **changes: Any) -> None:
        """Bring the job to work, with changes of its configuration; all streams have records."""
        for worker in ("worker-0", "worker-1"):
            self.start_worker(worker)
        self.cluster.start("driver")
        self.run("driver", **changes)
        self.back_s(time.monotonic(), {})

    def start_worker(self, name: str) -> None:
        self.cluster.start(name, **{"num-cpus": CORES})

    def run(self, driver: str, **changes: Any) -> None:
        """Start the job on a driver's node."""
        self.job = self.cluster.run(self.streams, driver, **changes)

    def end(self) -> Iterator[Figure]:
        """Drain the job."""
        began_s = time.monotonic()
        code = self.job.stop()
        yield Figure("stopped: ended", time.monotonic() - began_s, goal=30, why=f"exit code {code}")

    def sessions(self) -> dict[str, str]:
        """Stream -> the session that its newest record is of."""
        return {name: one.session for name, one in self.cluster.deliveries.newest().items()}

    def hit(self, do: Callable[[], object]) -> float:
        """Do something that costs streams their sessions; how long they are away, seconds."""
        before, since_s = self.sessions(), time.monotonic()
        do()
        return self.back_s(since_s, before)

    def back_s(self, since_s: float, before: Mapping[str, str]) -> float:
        """Wait until all streams are at work, some of them in new sessions.

        Args:
            since_s: from when on, seconds of the monotonic clock.
            before: stream -> the session that it had.

        Returns:
            Seconds until each of those had a record in the sink.
        """

        def settled() -> list[Delivery]:
            newest, now_s = self.cluster.deliveries.newest(), time.monotonic()
            first = list(self._first(since_s, before).values())
            well = len(newest) == CAMERAS and first and now_s - first[-1].seen_s > STEADY_S
            return first if well and all(_fresh(one, now_s) for one in newest.values()) else []

        return wait_until(settled, f"{CAMERAS} streams at work")[-1].seen_s - since_s

    def _first(self, since_s: float, before: Mapping[str, str]) -> dict[str, Delivery]:
        """Stream -> the first record of a new session, in the order in which they came."""
        first: dict[str, Delivery] = {}
        for one in self.cluster.deliveries.all:
            new = one.seen_s >= since_s and one.session != before.get(one.stream)
            if new and one.topic != EVENTS:
                first.setdefault(one.stream, one)
        return first

    def abandoned_s(self, since_s: float) -> float:
        """Wait until no camera is connected; seconds since a moment."""
        wait_until(lambda: not any(self.cameras.viewers().values()), "cameras left alone")
        return time.monotonic() - since_s

    def viewers_too_many(self) -> int:
        """Connections beyond one per camera."""
        return sum(len(viewers) - 1 for viewers in self.cameras.viewers().values())

    def pause_s(self, since_s: float) -> float:
        """Longest time that passed between two records of a stream."""
        last: dict[str, float] = {}
        longest_s = 0.0
        for one in self.cluster.deliveries.all:
            if one.topic != EVENTS and one.seen_s >= since_s:
                longest_s = max(longest_s, one.seen_s - last.get(one.stream, one.seen_s))
                last[one.stream] = one.seen_s
        return longest_s


def _fresh(one: Delivery, now_s: float) -> bool:
    return now_s - one.seen_s < FRESH_S
