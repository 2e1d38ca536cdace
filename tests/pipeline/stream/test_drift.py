"""How fast a clock runs is found from frames that come late in many ways, and never early."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest

from pipeline.stream.drift import LEAST_US, LONGEST_US, POINTS, Drift, DriftMeter

US = 1_000_000
START_US = 1_700_000_000_000_000


class Camera:
    """Ten frames a second by a clock that is fast; each comes 20 ms late and some more."""

    def __init__(self, ppm: float, late_s: Callable[[float], float]) -> None:
        self.meter = DriftMeter()
        self.late_s = late_s
        self.rate = 1 + ppm / 1e6
        self.came_us = 0
        self.step_s = 0.0

    def send(self, first_s: float, last_s: float) -> Camera:
        for number in range(int(first_s * 10), int(last_s * 10)):
            taken_s = number / 10
            came_us = START_US + round((taken_s + 0.02 + self.late_s(taken_s)) * US)
            self.came_us = max(self.came_us, came_us)  # over TCP none overtakes another
            self.meter.see(round((taken_s * self.rate + self.step_s) * US), self.came_us)
        return self

    @property
    def drift(self) -> Drift:
        assert self.meter.drift is not None
        return self.meter.drift


def jitter(mean_s: float) -> Callable[[float], float]:
    random = Random(7)
    return lambda _: random.expovariate(1 / mean_s)


def punctual(_: float) -> float:
    return 0.0


@pytest.mark.parametrize("ppm", [100, -100, 0, 20_000])
@pytest.mark.parametrize("mean_s", [0.001, 0.02])
def test_a_clock_that_is_fast_or_slow(ppm: float, mean_s: float) -> None:
    drift = Camera(ppm, jitter(mean_s)).send(0, 600).drift
    assert drift.ppm == pytest.approx(ppm, abs=5 + mean_s * 1000)
    assert drift.over_s == pytest.approx(600, abs=2 * 16)  # a window at each end


def test_nothing_is_said_before_it_is_known() -> None:
    camera = Camera(100, punctual).send(0, LEAST_US / US)
    assert camera.meter.drift is None
    camera.send(LEAST_US / US, LEAST_US / US + 3)
    assert camera.drift.ppm == pytest.approx(100, abs=1)
    assert camera.drift.over_s == pytest.approx(LEAST_US / US, abs=3)


def test_a_backlog_and_minutes_of_congestion_turn_nothing() -> None:
    def late_s(taken_s: float) -> float:
        backlog_s = max(0.0, 3 - taken_s)
        return backlog_s + (2.0 if 250 <= taken_s < 340 else 0.0)

    assert Camera(100, late_s).send(0, 600).drift.ppm == pytest.approx(100, abs=2)


def test_a_long_pause_of_the_same_clock_breaks_nothing() -> None:
    camera = Camera(-100, jitter(0.001)).send(0, 60).send(900, 960)
    assert camera.drift.ppm == pytest.approx(-100, abs=5)
    assert camera.drift.over_s > 900


def test_another_clock_begins_anew() -> None:
    camera = Camera(100, punctual).send(0, 100)
    camera.meter.restart()
    camera.step_s, camera.rate = -3600.0, 1.0
    camera.send(100, 120)
    assert camera.meter.drift is None
    assert camera.send(120, 200).drift.ppm == pytest.approx(0, abs=1)


def test_a_clock_that_stands_still_has_no_rate() -> None:
    camera = Camera(-1e6, punctual).send(0, 300)
    assert camera.meter.drift is None


def test_months_are_remembered_in_no_more_than_an_hour_needs() -> None:
    camera = Camera(50, punctual)
    camera.send(0, 4 * 3600)
    assert camera.drift.over_s <= POINTS * LONGEST_US / US
    assert camera.drift.ppm == pytest.approx(50, abs=1)
    camera.step_s, camera.rate = 4 * 3600 * 150e-6, 1 - 100e-6  # a cold night
    camera.send(4 * 3600, 7 * 3600)
    assert camera.drift.ppm == pytest.approx(-100, abs=1)
    assert len(camera.meter._points) <= POINTS
