"""Event time by a camera's own clock follows it, never goes back, and outlives its steps."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import pytest

from pipeline.stream.capture_time import CaptureTime

US = 1_000_000
TICK = Fraction(1, 90_000)
ARRIVAL_US = 1_700_000_000_000_000
OFF_US = -7_200 * US  # its clock is two hours slow


class Camera:
    """Ten frames a second; timestamps begin at 0, and reports tell the wall clock of that."""

    def __init__(self) -> None:
        self.zero_us = ARRIVAL_US + OFF_US
        self.ahead_ticks = 0
        self.capture = CaptureTime(TICK, OFF_US)
        self.number = 0
        self.times_us: list[int] = []
        self.steps: list[int] = []

    def send(self, frames: int, *, stamped: bool = True) -> Camera:
        for _ in range(frames):
            pts = self.number * 9_000 + self.ahead_ticks if stamped else None
            arrival_us = ARRIVAL_US + self.number * US // 10
            event_us, stepped = self.capture.stamp(pts, self.zero_us, arrival_us)
            self.times_us.append(event_us)
            self.steps += [self.number] if stepped else []
            self.number += 1
        return self

    @property
    def intervals_us(self) -> set[int]:
        return {b - a for a, b in pairwise(self.times_us)}


def test_event_time_is_the_cameras_own() -> None:
    camera = Camera().send(20)
    assert camera.times_us[0] == ARRIVAL_US + OFF_US
    assert camera.intervals_us == {100_000}
    assert camera.capture.ahead_us == OFF_US
    assert camera.steps == []


def test_frames_without_a_timestamp_have_their_places() -> None:
    """RTSP leaves the first one's out."""
    camera = Camera().send(1, stamped=False).send(5).send(1, stamped=False).send(5)
    assert camera.intervals_us == {100_000}
    assert camera.steps == []


def test_a_report_that_corrects_the_clock_is_followed() -> None:
    camera = Camera().send(10)
    camera.zero_us += 30_000
    camera.send(10)
    assert camera.intervals_us == {100_000, 130_000}
    assert camera.steps == []


def test_time_waits_for_a_clock_that_is_put_back_a_little() -> None:
    camera = Camera().send(10)
    camera.zero_us -= 250_000
    camera.send(10)
    assert camera.times_us[9:13] == [camera.times_us[9]] * 3 + [camera.times_us[9] + 50_000]
    assert camera.steps == []


@pytest.mark.parametrize("step_s", [7_200, -7_200, 900_000, 2, -2])
def test_a_clock_that_was_set_is_told_once_and_time_goes_on(step_s: int) -> None:
    camera = Camera().send(10)
    camera.zero_us += step_s * US
    camera.send(10)
    camera.zero_us += 500  # the reports after that are no news
    camera.send(10)
    assert camera.steps == [10]
    assert camera.intervals_us == {100_000, 100_500}


@pytest.mark.parametrize("jump_s", [3_600, -3_600])
def test_timestamps_that_jump_are_right_again_with_the_next_report(jump_s: int) -> None:
    camera = Camera().send(10)
    camera.ahead_ticks = jump_s * 90_000
    camera.send(10)
    camera.zero_us -= jump_s * US
    camera.send(10)
    assert camera.steps == [10]
    assert camera.intervals_us == {100_000}
    assert camera.capture.ahead_us == OFF_US
