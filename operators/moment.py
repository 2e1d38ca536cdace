"""Event time as text and as a number. Must not know any clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def rfc3339(time_us: int) -> str:
    """Microseconds since the epoch as RFC 3339 in UTC: `2026-11-22T17:03:00.000250Z`."""
    moment = _EPOCH + timedelta(microseconds=time_us)
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


def microseconds(moment: datetime | None) -> int | None:
    """Microseconds since the epoch, exactly."""
    return None if moment is None else (moment - _EPOCH) // timedelta(microseconds=1)
