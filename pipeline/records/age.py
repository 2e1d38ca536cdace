"""How long after its event a record was published, and came to whoever reads it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from math import ceil
from typing import NamedTuple

from operators.moment import microseconds
from pipeline.records.record import StoredRecord
from pipeline.stream.session import is_connection

LONGEST_US = 60_000_000  # from a frame to its decoder; a clock that tells of more is off
PARTS = {"p50": 0.5, "p95": 0.95, "p99": 0.99}


class Age(NamedTuple):
    """
    Attributes:
        published_s: from the event until the record was published, as the record has it.
        arrived_s: until it was here.
    """

    published_s: float
    arrived_s: float

    def plain(self) -> dict[str, float]:
        """JSON values."""
        return {"published": round(self.published_s, 3), "arrived": round(self.arrived_s, 3)}


def age(record: StoredRecord, now_us: int) -> Age | None:
    """How old a record is; None where its event time is nobody's wall clock, as of a recording, or
    that of a camera whose clock is off, or it has none, as most events.

    Args:
        record: that has just come.
        now_us: wall clock, microseconds since the epoch.
    """
    headers = record.message.headers
    clock, session = headers.get("ce_clock"), headers.get("ce_session", "")
    if clock != "capture" and not (clock == "start-time" and is_connection(session)):
        return None
    event_us, decoded_us = _moment_us(headers, "ce_time"), _moment_us(headers, "ce_ingesttime")
    if event_us is None or decoded_us is None or event_us > decoded_us:
        return None  # a file that a live run plays faster than it was filmed, or a fast clock
    if clock == "capture" and decoded_us - event_us > LONGEST_US:
        return None
    return Age((record.timestamp_us - event_us) / 1e6, (now_us - event_us) / 1e6)


class Ages:
    """Of the records since the last summary."""

    def __init__(self) -> None:
        self._known: list[Age] = []
        self._unknown = 0

    def __len__(self) -> int:
        return len(self._known) + self._unknown

    def add(self, one: Age | None) -> None:
        """Another record's."""
        if one is None:
            self._unknown += 1
        else:
            self._known.append(one)

    def take(self) -> str:
        """A summary in one line; the next one begins."""
        known, unknown = self._known, self._unknown
        self._known, self._unknown = [], 0
        left_out = f"{unknown} records of unknown age: their time is no camera's wall clock"
        if not known:
            return f"latency: {left_out}"
        told = [
            f"latency of {len(known)} records from capture",
            f"until published {_percentiles([one.published_s for one in known])}",
            f"until here {_percentiles([one.arrived_s for one in known])}",
        ]
        return "; ".join([*told, left_out] if unknown else told)


def _moment_us(headers: Mapping[str, str], name: str) -> int | None:
    with suppress(ValueError, TypeError):  # somebody else's record in our topic
        return microseconds(datetime.fromisoformat(headers.get(name, "")))
    return None


def _percentiles(durations_s: Sequence[float]) -> str:
    """Each is a duration that there was (nearest rank)."""
    ranked = sorted(durations_s)
    at = {name: ranked[ceil(part * len(ranked)) - 1] for name, part in PARTS.items()}
    return ", ".join(f"{name} {seconds:.2f} s" for name, seconds in at.items())
