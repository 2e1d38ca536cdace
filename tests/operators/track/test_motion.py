"""Motion in seconds: whatever the rate of the frames, what is known of a thing is the same."""

from __future__ import annotations

import numpy as np
import pytest

from operators.track.motion import SEEN_OFF, SPEED, Motion


def square(x: float, y: float, side: float = 20) -> tuple[float, float, float, float]:
    return x - side / 2, y - side / 2, x + side / 2, y + side / 2


@pytest.mark.parametrize("fps", [2, 5, 10, 30])
def test_a_steady_thing_is_expected_where_it_goes_at_any_rate(fps: int) -> None:
    motion = Motion.of_box(square(0, 50))
    for number in range(1, 3 * fps):
        motion = motion.after(1 / fps).seen(square(60 * number / fps, 50))
    here = motion.after(0.5)
    assert (here.x - motion.x, here.y) == pytest.approx((30, 50), abs=1.5)
    assert (motion.vx, motion.vy) == pytest.approx((60, 0), abs=2)


def test_what_is_not_known_grows_with_time_and_less_where_more_was_seen() -> None:
    once = Motion.of_box(square(0, 0))
    assert once.spread == (SEEN_OFF**2, 0, SPEED**2)
    often = once
    for _ in range(10):
        often = often.after(0.2).seen(square(0, 0))
    for motion in (once, often):
        variances = [motion.after(seconds).variance for seconds in (0, 0.1, 0.5, 2)]
        assert variances == sorted(variances)
        assert variances[0] < variances[1]
    assert often.after(0.2).variance < once.after(0.2).variance


def test_two_steps_expect_what_one_expects() -> None:
    motion = Motion.of_box(square(3, 4)).after(0.2).seen(square(9, 2))
    one, two = motion.after(0.7), motion.after(0.3).after(0.4)
    assert (one.x, one.y) == pytest.approx((two.x, two.y))
    assert one.spread == pytest.approx(two.spread)


def test_it_is_the_kalman_filter_of_constant_velocity() -> None:
    """Held to the textbook's matrices."""
    size, seconds, off = 20.0, 0.35, SEEN_OFF
    motion = Motion.of_box(square(0, 0)).after(0.2).seen(square(7, 0))
    place, both, speed = motion.spread
    state = np.array([motion.x, motion.vx])
    known = np.array([[place, both], [both, speed]])
    step = np.array([[1, seconds], [0, 1]])
    grown = motion.after(seconds)
    wander = (grown.spread[2] - speed) / seconds
    noise = wander * np.array([[seconds**3 / 3, seconds**2 / 2], [seconds**2 / 2, seconds]])
    state, known = step @ state, step @ known @ step.T + noise
    gain = known[:, 0] / (known[0, 0] + off**2)
    state = state + gain * (15 - state[0])
    known = known - np.outer(gain, known[0])
    seen = grown.seen(square(15, 0))
    assert (seen.x, seen.vx) == pytest.approx(tuple(state))
    assert seen.spread == pytest.approx((known[0, 0], known[0, 1], known[1, 1]))
    assert seen.size == size


def test_a_box_without_area_is_a_pixel() -> None:
    motion = Motion.of_box((5, 5, 5, 5))
    assert (motion.width, motion.height) == (1, 1)
    assert motion.box == (4.5, 4.5, 5.5, 5.5)
