"""A time in which a sink took nothing: what is known of it, and how it is said.

Pure values; `pipeline.sinks.patient` finds out.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from operators.moment import rfc3339
from pipeline.secrets import mask
from pipeline.trace import DETAIL_CHARS


@dataclass(frozen=True, slots=True)
class Outage:
    """One outage, as far as it goes.

    Attributes:
        since_us: wall clock at the beginning of the first attempt that failed, microseconds.
        duration_s: from then to the newest attempt's end, by the monotonic clock.
        attempts: that have failed.
        reason: why, in the sink's words, secrets masked.
        kept: records of the stream that is told of it that waited on disk.
        over: the sink takes records again.
    """

    since_us: int
    duration_s: float
    attempts: int
    reason: str
    kept: int = 0
    over: bool = True


def told(outage: Outage) -> dict[str, Any]:
    """JSON values of the event; secrets masked."""
    what: dict[str, Any] = {"since": rfc3339(outage.since_us)}
    if outage.over:
        what |= {"duration_s": round(outage.duration_s, 3), "attempts": outage.attempts}
    what |= {"kept": outage.kept} if outage.kept else {}
    return what | {"detail": mask(outage.reason)[:DETAIL_CHARS]}


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
