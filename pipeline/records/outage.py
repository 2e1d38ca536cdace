"""A time in which a sink took nothing: what is known of it, and how it is said.

Pure values; `pipeline.sinks.patient` finds out.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Outage:
    """One outage, as far as it goes.

    Attributes:
        since_us: wall clock at the beginning of the first attempt that failed, microseconds.
        duration_s: from then to the newest attempt's end, by the monotonic clock.
        attempts: that have failed.
        reason: why, in the sink's words, secrets masked.
    """

    since_us: int
    duration_s: float
    attempts: int
    reason: str


def span(seconds: float) -> str:
    """A length of time for a person: `12 s`, `3 min 10 s`, `2 h 5 min`."""
    whole = int(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def said(name: str, seconds: float) -> str:
    """That a sink is away, as logs, displays and errors say it."""
    return f"{name} is away since {span(seconds)}" if seconds >= 1 else f"{name} is away"


def away_s(outages: Iterable[Outage]) -> float:
    """How long there was an outage; what several engines saw at a time counts once."""
    total_us, reached_us = 0.0, 0.0
    for outage in sorted(outages, key=lambda outage: outage.since_us):
        end_us = outage.since_us + outage.duration_s * 1e6
        total_us += max(0.0, end_us - max(reached_us, outage.since_us))
        reached_us = max(reached_us, end_us)
    return total_us / 1e6
