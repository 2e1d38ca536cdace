"""Alarms in time, and their rate held to scipy's exact Poisson interval."""

from __future__ import annotations

import numpy as np
import pytest

from operators.learn.alarms import alarm_count, hourly_rate


@pytest.mark.parametrize(
    ("over_at", "alarms"),
    [([], 0), ([3], 1), ([3, 4, 5], 1), ([0, 10], 1), ([0, 11], 2), ([0, 8, 16, 24, 59], 2)],
)
def test_frames_that_are_over_close_together_are_one_alarm(over_at: list[int], alarms: int) -> None:
    times_s = np.arange(60, dtype=np.float64)
    over = np.isin(times_s, over_at)
    assert alarm_count(times_s, over) == alarms


@pytest.mark.parametrize("alarms", [0, 1, 2, 7, 40, 1000])
def test_the_interval_is_the_exact_one(alarms: int) -> None:
    chi2 = pytest.importorskip("scipy.stats").chi2
    told, hours = hourly_rate(alarms, 2.5), 2.5
    assert told.value == alarms / hours
    assert told.low == pytest.approx(chi2.ppf(0.025, 2 * alarms) / 2 / hours if alarms else 0)
    assert told.high == pytest.approx(chi2.ppf(0.975, 2 * alarms + 2) / 2 / hours)


def test_no_time_has_no_rate() -> None:
    with pytest.raises(ValueError, match="more than 0 hours"):
        hourly_rate(0, 0)
