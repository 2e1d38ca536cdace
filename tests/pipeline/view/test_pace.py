"""One record of a series for each step of its own time."""

from pipeline.view.pace import Pace


def test_the_first_of_every_step_goes_on():
    pace = Pace(2)
    times_us = [0, 200_000, 499_999, 500_000, 900_000, 1_600_000]
    assert [pace.lets("a", at) for at in times_us] == [True, False, False, True, False, True]


def test_series_do_not_take_each_others_place_and_may_begin_anew():
    pace = Pace(1)
    assert [pace.lets(name, 5_000_000) for name in "abab"] == [True, True, False, False]
    assert pace.lets("a", 0)
