"""A live clock keeps to local time: never ahead of it, never away from it, whatever it does."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from fractions import Fraction

import pytest

from pipeline.stream.slow_clock import MARGIN_S
from pipeline.stream.timeline import AHEAD_S, STILL_S, Stamp, Timeline

TICKS, US = 90_000, 1_000_000
ANCHOR_US = 1_700_000_000_000_000


class Camera:
    """25 pictures a second with a clock of its own; they arrive `delay` after they are taken."""

    def __init__(self) -> None:
        self.timeline = Timeline(Fraction(1, TICKS), ANCHOR_US)
        self.taken: list[float] = []
        self.came: list[int] = []
        self.stamps: list[Stamp] = []

    def send(
        self,
        times_s: Iterable[float],
        clock: Callable[[float], float] = lambda s: s,
        delay: Callable[[float], float] = lambda s: 0.0,
    ) -> Camera:
        for second in times_s:
            came_us = ANCHOR_US + int((second + delay(second)) * US)
            came_us = max(came_us, self.came[-1] if self.came else 0)
            pts = int(clock(second) * TICKS) % 2**33
            self.taken.append(second)
            self.came.append(came_us)
            self.stamps.append(self.timeline.stamp(pts, 3600, came_us))
        return self

    @property
    def lags_s(self) -> list[float]:
        """How far each frame's event time is behind its arrival."""
        return [
            (came_us - stamp.event_time_us) / US
            for came_us, stamp in zip(self.came, self.stamps, strict=True)
        ]

    @property
    def jumps(self) -> list[float]:
        return [s for s, stamp in zip(self.taken, self.stamps, strict=True) if stamp.jumped]

    def check(self) -> Camera:
        times = [stamp.event_time_us for stamp in self.stamps]
        assert times == sorted(times)
        assert min(self.lags_s) >= 0
        assert len({stamp.position for stamp in self.stamps}) == len(self.stamps)
        return self


def seconds(first: float, last: float, fps: float = 25) -> list[float]:
    return [first + k / fps for k in range(int((last - first) * fps))]


@pytest.mark.parametrize("jump_s", [900_000.0, 3600.0, 5.0, -3600.0, -2.0, 47_721.0 + 100])
def test_a_clock_that_steps_is_spliced_once_and_time_goes_on(jump_s: float) -> None:
    def clock(second: float) -> float:
        return 10_000 + second + (jump_s if second >= 10 else 0)

    camera = Camera().send(seconds(0, 20), clock).check()
    assert camera.jumps == [10.0]
    assert max(camera.lags_s) < 0.001
    steps = {b.elapsed - a.elapsed for a, b in zip(camera.stamps, camera.stamps[1:], strict=False)}
    assert all(abs(step - 3600) <= 1 for step in steps)


def test_a_step_within_a_pause_goes_on_as_local_time_does() -> None:
    camera = Camera().send(seconds(0, 5)).send(seconds(35, 40), lambda s: s + 7200).check()
    assert camera.jumps == [35.0]
    assert max(camera.lags_s) < 0.05


def test_a_camera_that_pauses_has_not_stepped() -> None:
    camera = Camera().send([*seconds(0, 5), *seconds(600, 605)]).check()
    assert camera.jumps == []
    assert camera.stamps[-1].elapsed == pytest.approx(604.96 * TICKS, abs=2)


def test_what_comes_late_and_at_once_is_no_step() -> None:
    """The network holds ten seconds back, again and again."""
    camera = Camera().send(seconds(0, 100), delay=lambda s: 10 - s % 10).check()
    assert camera.jumps == []


@pytest.mark.parametrize("rate", [1.02, 1.0001, 0.9999, 0.98])
def test_a_clock_that_runs_fast_or_slow_neither_splices_nor_creeps(rate: float) -> None:
    rng = random.Random(3)
    camera = Camera()
    camera.send(seconds(0, 600, fps=5), lambda s: s * rate, lambda s: rng.random() / 20)
    camera.check()
    assert camera.jumps == []
    assert max(camera.lags_s) < 0.4 + 2 * 60 * abs(1 - rate)


def test_the_slack_does_not_ratchet() -> None:
    """A step of just under it, every second: local time wins each time."""
    camera = Camera().send(seconds(0, 60), lambda s: s + int(s) * AHEAD_S * 0.9).check()
    assert camera.jumps == []
    assert camera.stamps[-1].elapsed <= 60 * TICKS


def test_a_catching_up_clock_makes_no_gap() -> None:
    """It gains at most a twentieth, well under the 1.5 periods that are a gap."""
    camera = Camera().send(seconds(0, 600, fps=5), lambda s: s * 0.98).check()
    steps = [b.elapsed - a.elapsed for a, b in zip(camera.stamps, camera.stamps[1:], strict=False)]
    assert max(steps) <= TICKS / 5 * 1.06


def test_a_wrap_is_no_step() -> None:
    start = (2**33 - 5 * TICKS) / TICKS
    camera = Camera().send(seconds(0, 10), lambda s: start + s).check()
    assert camera.jumps == []
    assert max(camera.lags_s) < 0.001


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(20))
def test_whatever_the_clock_does(seed: int) -> None:
    rng = random.Random(seed)
    offset = 0.0

    def clock(second: float) -> float:
        nonlocal offset
        if rng.random() < 0.01:
            offset += rng.choice([-1e5, -10, -0.5, 0.5, 10, 1e5])
        return 5e6 + second + offset

    camera = Camera().send(seconds(0, 120), clock, lambda s: rng.random() / 10).check()
    assert max(camera.lags_s[-50:]) < 12


def test_without_local_time_holes_and_steps_stay_as_they_are() -> None:
    timeline = Timeline(Fraction(1, TICKS), 0)
    stamps = [timeline.stamp(pts * TICKS) for pts in (0, 1, 7200)]
    assert [stamp.elapsed // TICKS for stamp in stamps] == [0, 1, 7200]
    assert not any(stamp.jumped for stamp in stamps)


def test_a_later_anchor_moves_what_comes_after_it() -> None:
    timeline = Timeline(Fraction(1, TICKS), 0)
    assert timeline.stamp(0, None, 60 * US).event_time_us == 0
    timeline.anchor(59 * US)
    stamp = timeline.stamp(TICKS // 2, None, 60 * US)
    assert stamp.event_time_us == 59_500_000
    assert timeline.stamp(9 * TICKS, None, 61 * US).jumped


def test_where_a_clock_stands_still_frames_happen_when_they_come() -> None:
    """Its RTP timestamps are all the same, or stop for a minute and go on."""
    camera = Camera().send(seconds(0, 30), lambda _: 5.0).check()
    assert camera.jumps == [STILL_S + 0.0]
    later = [lag for lag, s in zip(camera.lags_s, camera.taken, strict=True) if s > STILL_S]
    assert max(later) <= MARGIN_S + 0.001
    assert camera.stamps[-1].position == f"{5 * TICKS}+{30 * 25 - 1}"

    camera = Camera().send(seconds(0, 90), lambda s: s if s < 10 else max(10.0, s - 60)).check()
    assert camera.jumps == [10.0 + STILL_S]
    assert max(camera.lags_s) <= STILL_S


def test_a_clock_that_stands_from_the_beginning_has_its_anchor_first() -> None:
    """A connection is counted from a moment long before until its first frames have told theirs."""
    camera = Camera()
    camera.timeline.anchor(ANCHOR_US - 60 * US)
    camera.send(seconds(0, 2), lambda _: 5.0)
    camera.timeline.anchor(ANCHOR_US)
    camera.send(seconds(2, 10), lambda _: 5.0)
    assert camera.jumps == [2.0 - 1 / 25 + STILL_S]
    assert max(camera.lags_s[50:]) <= STILL_S + 2


def test_reordered_pictures_are_no_standing_clock() -> None:
    """Time stands for as long as timestamps may run back."""
    camera = Camera().send(seconds(0, 20), lambda s: s - 0.9 if 10 <= s < 10.9 else s).check()
    assert camera.jumps == []
