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
    assert mark_text(NOON_S, 5, wall=True) == "12:00:00"
    assert mark_text(NOON_S, 60, wall=True) == "12:00"
    assert mark_text(NOON_S, 86_400, wall=True) == "11-30"
    assert [mark_text(at, 1, wall=False) for at in (5, 75, 3700)] == ["0:05", "1:15", "1:01:40"]
    assert span_text(Span(NOON_S, 1, 10), wall=True) == "2026-11-30, UTC"
    assert span_text(Span(NOON_S, 3600, 30), wall=True) == "2026-11-30 to 2026-12-01, UTC"
    assert span_text(Span(0, 1, 10), wall=False) == "time in the recording"
    assert [width_text(one) for one in (5, 300, 10_800, 86_400)] == ["5 s", "5 min", "3 h", "1 d"]


def test_the_ends_of_all_time_can_be_written():
    for at_s in (-(10**12), 10**12):
        assert mark_text(at_s, 60, wall=True)
        assert span_text(Span(at_s, 1, 10), wall=True).endswith("UTC")
