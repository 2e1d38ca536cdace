"""Stretches with frames and the gaps between them, found without looking at every frame."""

from __future__ import annotations

import pytest

from pipeline.view.coverage import covered, usual_interval_us

FIFTH_US = 200_000


def looking(times):
    looks = []
    return looks, lambda number: looks.append(number) or times[number]


def found(times, **how):
    interval_us = usual_interval_us(times.__getitem__, 0, len(times) - 1)
    return covered(times.__getitem__, 0, len(times) - 1, interval_us=interval_us, **how)


def test_a_million_frames_without_a_gap_are_one_stretch_by_a_few_looks():
    times = range(0, 1_000_000 * FIFTH_US, FIFTH_US)
    looks, time_us = looking(times)
    interval_us = usual_interval_us(time_us, 0, len(times) - 1)
    assert covered(time_us, 0, len(times) - 1, interval_us=interval_us) == [(0, times[-1])]
    assert len(looks) < 200


def test_gaps_are_found_where_they_are():
    times = [n * FIFTH_US for n in range(5000)]
    times = [one + (7_000_000 if one >= times[777] else 0) for one in times]
    times = [one + (1_500_000 if number >= 4000 else 0) for number, one in enumerate(times)]
    assert found(times) == [
        (0, times[776]),
        (times[777], times[3999]),
        (times[4000], times[4999]),
    ]
    assert found(times, least_us=5_000_000) == [(0, times[776]), (times[777], times[4999])]


@pytest.mark.parametrize("frames", [1, 2, 3])
def test_few_frames(frames):
    times = [n * FIFTH_US for n in range(frames)]
    assert found(times) == [(0, times[-1])]


def test_a_rate_that_changes_is_no_gap():
    times = [n * FIFTH_US for n in range(3000)]
    times += [times[-1] + n * 4 * FIFTH_US for n in range(1, 1000)]
    assert found(times) == [(0, times[-1])]


def test_gaps_everywhere_end():
    times = [n * 10_000_000 + (n % 2) * 9_800_000 for n in range(20_000)]
    looks, time_us = looking(times)
    stretches = covered(time_us, 0, len(times) - 1, interval_us=FIFTH_US)
    assert stretches[0][0] == 0
    assert stretches[-1][1] == times[-1]
    assert len(looks) < 40_000
