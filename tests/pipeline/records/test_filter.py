"""Which records a filter takes, and where it says that they lie."""

from __future__ import annotations

import pytest

from pipeline.records.filter import ALL, Filter, unknown_stream
from pipeline.records.record import StoredRecord

SESSION = "a1b2c3d4e5f6"


@pytest.fixture
def record(build):
    return StoredRecord(build.message(1), timestamp_us=5_000, offset=1)


def test_every_condition_counts(record, build):
    takes = [
        ALL,
        Filter(("cam1",)),
        Filter(("cam1",), session=SESSION, variant=build.variant),
        Filter(since_us=5_000, until_us=5_001),
    ]
    refuses = [
        Filter(("cam",)),
        Filter(("cam1",), session="f" * 12),
        Filter(variant="f" * 12),
        Filter(since_us=5_001),
        Filter(until_us=5_000),
    ]
    assert [one.takes(record) for one in takes] == [True] * len(takes)
    assert [one.takes(record) for one in refuses] == [False] * len(refuses)


def test_ids_of_a_stream_and_of_a_session_lie_together(build):
    mine = [build.message(number, "cam1").id for number in (0, 1, 1000)]
    others = [build.message(1, stream).id for stream in ("cam", "cam10", "cam1-a", "cam2")]
    ((first, behind),) = Filter(("cam1",)).ids("action")
    assert [first <= one < behind for one in mine] == [True] * 3
    assert [first <= one < behind for one in others] == [False] * 4
    ((first, behind),) = Filter(("cam1",), session=SESSION).ids("action")
    assert first <= mine[0] < behind
    assert not first <= build.message(0, "cam1", session=f"{SESSION}0").id < behind


def test_a_session_is_of_one_stream():
    for streams in ((), ("a", "b")):
        with pytest.raises(ValueError, match="is of one stream, got"):
            Filter(streams, SESSION)


def test_the_nearest_stream_is_named_and_the_others():
    assert unknown_stream("gat", ["door", "gate"]) == (
        "no stream 'gat'; did you mean gate? there are: door, gate"
    )
    assert unknown_stream("gat", []) == "no stream 'gat'; there are: none"
