"""Event time as text."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from operators.moment import rfc3339


@pytest.mark.parametrize(
    ("time_us", "text"),
    [
        (0, "1970-01-01T00:00:00.000000Z"),
        (1, "1970-01-01T00:00:00.000001Z"),
        (-1, "1969-12-31T23:59:59.999999Z"),
        (-1_500_000, "1969-12-31T23:59:58.500000Z"),
        (1_795_366_980_000_250, "2026-11-22T17:03:00.000250Z"),
    ],
)
def test_microseconds_in_utc(time_us: int, text: str) -> None:
    assert rfc3339(time_us) == text


def test_it_reads_back() -> None:
    moment = datetime.fromisoformat(rfc3339(1_795_366_980_123_456))
    assert moment - datetime(1970, 1, 1, tzinfo=UTC) == moment - datetime.fromtimestamp(0, UTC)
    assert round(moment.timestamp() * 1_000_000) == 1_795_366_980_123_456
