"""Durations in classes, and what can be told of them."""

from __future__ import annotations

import pytest

from pipeline.engine.histogram import BOUNDS_S, Histogram


def histogram(*seconds: float) -> Histogram:
    made = Histogram()
    for one in seconds:
        made.add(one)
    return made


def test_a_duration_is_counted_where_prometheus_counts_it() -> None:
    made = histogram(0.0, 0.05, 0.051, 30.0, 31.0)
    assert (made.counts[0], made.counts[1], made.counts[-2], made.counts[-1]) == (2, 1, 1, 1)
    assert made.sum_s == pytest.approx(61.101)
    assert (made + made).counts == [2 * count for count in made.counts]


@pytest.mark.parametrize(
    ("seconds", "part", "expected"),
    [
        ([], 0.5, None),
        ([0.3] * 10, 0.5, 0.25),  # in the middle of 0.2 to 0.3
        ([0.01] * 99 + [4.0], 0.99, 0.05),
        ([0.01] * 50 + [4.0] * 50, 0.75, 4.0),
        ([99.0], 0.5, BOUNDS_S[-1]),
    ],
)
def test_quantiles_are_those_of_histogram_quantile(seconds, part, expected) -> None:
    found = histogram(*seconds).quantile(part)
    assert found == (None if expected is None else pytest.approx(expected))


def test_what_came_after_an_earlier_look_is_the_difference() -> None:
    later = histogram(4.0, 4.0, 0.25, 0.125) - histogram(4.0, 4.0)
    assert later == histogram(0.25, 0.125)
    assert later.quantile(1.0) == pytest.approx(0.3)
