"""Bodies that run into each other: they touch when they should, and never overlap."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest

from pipeline.synthetic.bounce import Bounce, Recoil
from pipeline.synthetic.motion import Moment
from pipeline.synthetic.vector import dot, length, minus, times

COURSE = (0.6, 0.8, 0.0)
HALF_M, LEAD_M, END_M = 1.5, 0.3, 0.4


@pytest.mark.parametrize("period_s", [1.2, 2.0])
@pytest.mark.parametrize("phase", [0.0, 0.3, 0.9])
@pytest.mark.parametrize(("sign", "late"), [(-1.0, 0.0), (1.0, 0.5)])
def test_the_gap_closes_at_every_hit_and_is_never_negative(
    period_s: float, phase: float, sign: float, late: float
) -> None:
    lead = Bounce((2.0, 1.0, 0.0), COURSE, HALF_M, period_s, phase)
    rest = HALF_M + LEAD_M + END_M
    start = (2.0 + sign * rest * COURSE[0], 1.0 + sign * rest * COURSE[1], 0.0)
    end = Recoil(start, times(COURSE, sign), 0.5, period_s, phase - late)

    def gap_m(time_s: float) -> float:
        moment = Moment(time_s, 0.0)
        apart = dot(minus(end.position(moment), lead.position(moment)), COURSE) * sign
        return apart - LEAD_M - END_M

    times_s = np.arange(0.0, 3.0 * period_s, 0.01)
    assert min(gap_m(t) for t in times_s) > -1e-9
    for hit in range(1, 4):
        assert gap_m((hit + late - phase) * period_s) == pytest.approx(0.0, abs=1e-9)


def test_nothing_jumps_and_the_knocked_body_goes_as_far_as_it_is_kicked() -> None:
    end = Recoil((0.0, 0.0, 0.0), COURSE, 0.5, 1.0, 0.2)
    places = [end.position(Moment(step / 1000, 0.0)) for step in range(3000)]
    steps = [length(minus(b, a)) for a, b in pairwise(places)]
    assert max(steps) < 0.5 * 6.75 / 1000 + 1e-9
    assert max(length(place) for place in places) == pytest.approx(0.5, rel=1e-3)


def test_a_ball_rolls_without_slipping_both_ways() -> None:
    lead = Bounce((0.0, 0.0, 0.0), (1.0, 0.0, 0.0), math.pi * 0.25, 2.0, 0.25)
    top = (0.0, 0.0, 1.0)
    assert lead.rolled(top, Moment(0.0, 0.0), 0.5) == pytest.approx(top)
    # A quarter of the period later it is at +pi/4: an angle of pi/2 for a radius of 0.5.
    assert lead.rolled(top, Moment(0.5, 0.0), 0.5) == pytest.approx((1.0, 0.0, 0.0), abs=1e-9)
    assert lead.rolled(top, Moment(1.0, 0.0), 0.5) == pytest.approx(top, abs=1e-9)
    assert lead.rolled(top, Moment(1.5, 0.0), 0.5) == pytest.approx((-1.0, 0.0, 0.0), abs=1e-9)
