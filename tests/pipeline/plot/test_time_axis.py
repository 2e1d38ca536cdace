"""Moments along an axis are round, few, and written as short as they can be."""

from datetime import UTC, datetime
from itertools import pairwise

import pytest

from pipeline.plot.bins import Span
from pipeline.plot.time_axis import mark_text, marks, span_text, width_text

NOON_S = round(datetime(2026, 11, 30, 12, tzinfo=UTC).timestamp())


@pytest.mark.parametrize("length_s", [1, 7, 59, 61, 600, 4000, 90_000, 10**6, 10**8])
def test_there_are_a_few_and_they_are_round(length_s):
    span = Span(NOON_S + 17, 1, length_s)
    found = marks(span, most=6)
    assert len(found) <= 6
    assert all(span.first_s <= at <= span.end_s for at in found)
    steps = {later - early for early, later in pairwise(found)}
    assert len(steps) <= 1
    assert len(found) >= (2 if length_s < 10**8 else 1)
    assert all(at % step == 0 for step in steps for at in found)


def test_texts():
    assert mark_text(NOON_S, 5, along="moments") == "12:00:00"
    assert mark_text(NOON_S, 60, along="moments") == "12:00"
    assert mark_text(NOON_S, 86_400, along="moments") == "11-30"
    assert [mark_text(at, 1, along="recording") for at in (5, 75, 3700)] == [
        "0:05",
        "1:15",
        "1:01:40",
    ]
    assert span_text(Span(NOON_S, 1, 10), along="moments") == "2026-11-30, UTC"
    assert span_text(Span(NOON_S, 3600, 30), along="moments") == "2026-11-30 to 2026-12-01, UTC"
    assert span_text(Span(0, 1, 10), along="recording") == "time in the recording"
    assert [width_text(one) for one in (5, 300, 10_800, 86_400)] == ["5 s", "5 min", "3 h", "1 d"]


def test_the_ends_of_all_time_can_be_written():
    for at_s in (-(10**12), 10**12):
        assert mark_text(at_s, 60, along="moments")
        assert span_text(Span(at_s, 1, 10), along="moments").endswith("UTC")


@pytest.mark.parametrize("steps", [1, 9, 120, 1160, 12_345, 625_000])
def test_steps_are_marked_at_round_numbers(steps):
    found = marks(Span(0, 1, steps), most=6, along="steps")
    assert 1 < len(found) <= 6
    assert found[0] == 0
    step = found[1]
    assert step // 10 ** (len(str(step)) - 1) in (1, 2, 5)
    assert mark_text(12_000, step, along="steps") == "12,000"
    assert span_text(Span(0, 1, steps), along="steps") == "steps"
