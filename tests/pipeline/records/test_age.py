"""How old a record is, where that can be known, and what is said of many."""

from __future__ import annotations

import pytest

from operators.moment import rfc3339
from pipeline.records.age import LONGEST_US, Age, Ages, age
from pipeline.records.record import StoredRecord

EVENT_US = 1_795_371_519_000_000
CAMERA = {"clock": "start-time", "session": str(EVENT_US), "event_time_us": EVENT_US}
CAPTURE = {"clock": "capture", "event_time_us": EVENT_US}


def stored(build, *, decoded_us: int = EVENT_US + 100_000, **info: object) -> StoredRecord:
    message = build.message(ingest_time_us=decoded_us, **info)
    return StoredRecord(message, EVENT_US + 840_000, 1)


@pytest.mark.parametrize("info", [CAMERA, CAPTURE], ids=["camera", "capture"])
def test_a_cameras_record_has_an_age(build, info) -> None:
    found = age(stored(build, **info), EVENT_US + 1_020_000)
    assert found == Age(0.84, 1.02)
    assert found.plain() == {"published": 0.84, "arrived": 1.02}


@pytest.mark.parametrize(
    "info",
    [
        pytest.param({"clock": "media"}, id="nobody knows when"),
        pytest.param({"clock": "container"}, id="a file says when it was made"),
        pytest.param(CAMERA | {"session": "123456789012"}, id="a recording whose start was given"),
        pytest.param(CAMERA | {"decoded_us": EVENT_US - 1}, id="decoded before it happened"),
        pytest.param(CAPTURE | {"decoded_us": EVENT_US - 1}, id="a camera whose clock is ahead"),
        pytest.param(CAPTURE | {"decoded_us": EVENT_US + LONGEST_US + 1}, id="one that is behind"),
    ],
)
def test_what_has_no_cameras_wall_clock_has_none(build, info) -> None:
    assert age(stored(build, **info), EVENT_US + 1_020_000) is None


def test_records_of_others_in_our_topics_have_none(build) -> None:
    found = stored(build, **CAMERA)
    for change in ({"ce_time": "soon"}, {"ce_time": rfc3339(0)[:-1]}, {"ce_ingesttime": ""}):
        found.message.headers.update(change)
        assert age(found, EVENT_US) is None
    found.message.headers.clear()
    assert age(found, EVENT_US) is None


def test_a_summary_tells_of_what_came_since_the_last_one() -> None:
    ages = Ages()
    for hundredth in range(1, 101):
        ages.add(Age(hundredth / 100, 1 + hundredth / 100))
    ages.add(None)
    assert len(ages) == 101
    assert ages.take() == (
        "latency of 100 records from capture; until published p50 0.50 s, p95 0.95 s, p99 0.99 s; "
        "until here p50 1.50 s, p95 1.95 s, p99 1.99 s; "
        "1 records of unknown age: their time is no camera's wall clock"
    )
    assert len(ages) == 0
    ages.add(None)
    assert ages.take() == (
        "latency: 1 records of unknown age: their time is no camera's wall clock"
    )


def test_one_record_is_every_percentile() -> None:
    ages = Ages()
    ages.add(Age(0.25, 0.5))
    assert "until here p50 0.50 s, p95 0.50 s, p99 0.50 s" in ages.take()
