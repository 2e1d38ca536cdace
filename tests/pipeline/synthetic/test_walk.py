"""Walks: constant speed along a bend, pauses where they are due, headed where they go."""

from __future__ import annotations

import itertools
import math

import pytest

from pipeline.synthetic.motion import Moment
from pipeline.synthetic.vector import dot, length
from pipeline.synthetic.walk import Bend, Walk

BEND = Bend((-6.0, 0.0), (0.0, 5.0), (6.0, -1.0))


def _at(walk: Walk, time_s: float) -> tuple[float, float]:
    x, y, z = walk.position(Moment(time_s, 0.0))
    assert z == 0.0
    return x, y


def test_a_walk_goes_from_end_to_end_at_its_speed() -> None:
    walk = Walk(BEND, 3.0, 2.0)
    assert walk.end_s == pytest.approx(3.0 + BEND.length_m / 2.0)
    assert _at(walk, 0.0) == _at(walk, 3.0) == (-6.0, 0.0)
    assert _at(walk, walk.end_s + 9.0) == pytest.approx((6.0, -1.0))
    times_s = [3.0 + 0.1 * step for step in range(math.floor(10 * (walk.end_s - 3.0)))]
    steps_m = [math.dist(_at(walk, a), _at(walk, b)) for a, b in itertools.pairwise(times_s)]
    assert min(steps_m) > 0.19
    assert max(steps_m) < 0.21


def test_a_bend_passes_between_its_ends_on_the_side_it_is_drawn_to() -> None:
    x, y = BEND.place(0.5 * BEND.length_m)
    assert x == pytest.approx(0.0, abs=0.5)
    assert 1.5 < y < 2.5


def test_pauses_are_where_and_as_long_as_they_are_due() -> None:
    walk = Walk(BEND, 0.0, 2.0, ((4.0, 3.0), (8.0, 1.0)))
    assert walk.end_s == pytest.approx(BEND.length_m / 2.0 + 4.0)
    assert _at(walk, 2.0) == pytest.approx(BEND.place(4.0))
    assert _at(walk, 2.1) == _at(walk, 4.9) == BEND.place(4.0)
    assert _at(walk, 6.0) == pytest.approx(BEND.place(6.0))
    assert _at(walk, 7.5) == BEND.place(8.0)
    assert _at(walk, 8.5) == pytest.approx(BEND.place(9.0))


def test_it_is_headed_where_it_goes() -> None:
    walk = Walk(BEND, 0.0, 2.0)
    for time_s in (0.0, 1.7, 4.0):
        (ax, ay), (bx, by) = _at(walk, time_s), _at(walk, time_s + 0.01)
        heading = math.atan2(by - ay, bx - ax)
        assert walk.yaw_rad(Moment(time_s, 0.0)) == pytest.approx(heading, abs=0.02)


def test_a_ball_on_a_walk_rolls_by_as_much_as_it_went() -> None:
    straight = Walk(Bend((0.0, 0.0), (2.0, 0.0), (4.0, 0.0)), 0.0, 1.0)
    axis = straight.rolled((0.0, 0.0, 1.0), Moment(0.5 * math.pi, 0.0), 1.0)
    assert axis == pytest.approx((1.0, 0.0, 0.0), abs=1e-3)
    bent = Walk(BEND, 0.0, 1.0)
    for time_s in (0.0, 3.0, 9.0):
        turned = bent.rolled((0.6, 0.0, 0.8), Moment(time_s, 0.0), 0.4)
        assert length(turned) == pytest.approx(1.0)
        assert dot(turned, bent.rolled((0.8, 0.0, -0.6), Moment(time_s, 0.0), 0.4)) == (
            pytest.approx(0.0, abs=1e-9)
        )
