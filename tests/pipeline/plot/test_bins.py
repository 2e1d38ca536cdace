"""Sums over time stay few, and lose nothing, whatever comes in whatever order."""

import random

import pytest

from pipeline.plot.bins import MOST, Bins

SECOND_US = 1_000_000


def test_a_bin_has_what_happened_within_it():
    bins = Bins()
    for time_us in (0, 999_999, SECOND_US, 3 * SECOND_US):
        bins.add("a", time_us)
    bins.add("b", 2 * SECOND_US, 0.5)
    assert (bins.span.first_s, bins.span.width_s, bins.span.count) == (0, 1, 4)
    assert bins.values("a") == [2, 1, 0, 1]
    assert bins.values("b") == [0, 0, 0.5, 0]
    assert bins.values("absent") == [0] * 4
    assert Bins().span is None


@pytest.mark.parametrize("seconds", [MOST, MOST + 1, 5000, 400_000, 10**9])
def test_they_widen_instead_of_growing_in_number(seconds):
    draw = random.Random(seconds)
    times = [0, seconds - 1, *(draw.randrange(seconds) for _ in range(500))]
    bins, shuffled = Bins(), Bins()
    for time_s in times:
        bins.add(time_s % 3, time_s * SECOND_US)
    for time_s in draw.sample(times, len(times)):
        shuffled.add(time_s % 3, time_s * SECOND_US)
    assert bins.span.count <= MOST
    assert bins.span.end_s >= seconds > bins.span.first_s >= 0
    assert sum(bins.total(key) for key in bins) == len(times)
    assert bins.span == shuffled.span
    assert all(bins.values(key) == shuffled.values(key) for key in bins)
    first_s, width_s = bins.span.first_s, bins.span.width_s
    for at, count in enumerate(bins.values(0)):
        begin = first_s + at * width_s
        assert count == sum(begin <= one < begin + width_s for one in times if one % 3 == 0)


def test_times_before_the_epoch_are_times():
    bins = Bins()
    bins.add("a", -1)
    bins.add("a", -SECOND_US * (MOST + 5))
    assert bins.total("a") == 2
    assert bins.span.end_s >= 0 > bins.span.first_s


def test_one_may_be_counted_as_another():
    bins = Bins()
    bins.add("a", 0)
    bins.add("b", 0, 2)
    bins.add("b", SECOND_US, 3)
    bins.rename("b", "a")
    assert list(bins) == ["a"]
    assert bins.values("a") == [3, 3]
