"""Event time as text and as a number. Must not know any clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def rfc3339(time_us: int) -> str:
    """Microseconds since the epoch as RFC 3339 in UTC: `2026-11-22T17:03:00.000250Z`."""
    second, rest_us = divmod(time_us, 1_000_000)
    return f"{_second(second)}.{rest_us:06d}Z"


def where_and_when(position: str, time_us: int) -> dict[str, str]:
    """A frame as values of records name it: its position in its session, and its event time."""
    return {"position": position, "time": rfc3339(time_us)}


def microseconds(moment: datetime | None) -> int | None:
    """Microseconds since the epoch, exactly."""
    return None if moment is None else (moment - _EPOCH) // timedelta(microseconds=1)


@lru_cache(maxsize=256)  # the frames of a second, and the records of a frame, share it
def _second(second: int) -> str:
    return (_EPOCH + timedelta(seconds=second)).isoformat().removesuffix("+00:00")
