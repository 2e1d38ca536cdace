"""When streams are looked at: the earliest alarm of each, once."""

from __future__ import annotations

import math

from pipeline.decode.alarms import Alarms


def test_each_goes_off_once_in_order() -> None:
    alarms = Alarms()
    for stream, wake_s in (("late", 3.0), ("early", 1.0), ("never", None)):
        alarms.set(stream, wake_s)
    assert alarms.next_s == 1.0
    assert alarms.due(0.9) == []
    assert alarms.due(3.0) == ["early", "late"]
    assert alarms.due(99.0) == []
    assert alarms.next_s == math.inf


def test_an_earlier_one_takes_the_place_of_a_later_one() -> None:
    alarms = Alarms()
    alarms.set("a", 60.0)
    alarms.set("a", 10.0)
    assert alarms.due(10.0) == ["a"]
    assert alarms.due(60.0) == []


def test_one_that_is_put_off_goes_off_all_the_same_and_can_be_set_anew() -> None:
    alarms = Alarms()
    alarms.set("a", 10.0)
    for number in range(1000):
        alarms.set("a", 11.0 + number)
    assert alarms.due(10.0) == ["a"]
    assert alarms.next_s == math.inf, "a thousand signs of life are no thousand alarms"
    alarms.set("a", 20.0)
    assert alarms.due(20.0) == ["a"]


def test_a_stream_that_is_gone_has_none_and_its_namesake_its_own() -> None:
    alarms = Alarms()
    alarms.set("a", 10.0)
    alarms.drop("a")
    alarms.set("a", 30.0)
    assert alarms.due(10.0) == []
    assert alarms.due(30.0) == ["a"]
