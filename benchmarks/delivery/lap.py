"""One turn of one way of sending or reading: how long it took, and how much processor time."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Lap:
    """Attributes:
    records: that went through.
    wall_s: it took.
    cpu_s: of this process, all threads; not the broker's.
    transactions: there were.
    """

    records: int
    wall_s: float
    cpu_s: float
    transactions: int = 0

    @property
    def rate(self) -> float:
        """Records per second."""
        return self.records / self.wall_s

    @property
    def cpu_us(self) -> float:
        """Microseconds of processor time per record."""
        return self.cpu_s / self.records * 1e6


def timed(call: Callable[[], object], records: int) -> Lap:
    began_s, cpu_s = time.perf_counter(), time.process_time()
    call()
    return Lap(records, time.perf_counter() - began_s, time.process_time() - cpu_s)


def row(name: str, laps: Sequence[Lap], beside: Sequence[Lap], value_bytes: int) -> str:
    """A line of the table; the ratio is the median of those of each round."""
    rate = statistics.median(lap.rate for lap in laps)
    cpu_us = statistics.median(lap.cpu_us for lap in laps)
    ratios = [one.rate / other.rate for one, other in zip(laps, beside, strict=True)]
    ratio, least, most = statistics.median(ratios), min(ratios), max(ratios)
    return (
        f"| {name} | {rate:,.0f} | {rate * value_bytes / 1e6:.1f} | {cpu_us:,.0f} "
        f"| {ratio:.2f}x ({least:.2f} .. {most:.2f}) |"
    )
