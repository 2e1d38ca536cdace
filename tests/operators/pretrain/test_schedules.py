"""Schedules at their ends and in between, and after a resume."""

import math

import pytest

from operators.pretrain.schedules import Cosine, Linear


def test_a_cosine_at_every_end():
    rate = Cosine(4e-3, 1e-6, 100, warmup=10)

    assert rate.at(0) == 0
    assert rate.at(5) == pytest.approx(2e-3)
    assert rate.at(10) == 4e-3
    assert rate.at(55) == pytest.approx((4e-3 + 1e-6) / 2)
    assert 1e-6 < rate.at(99) < 5e-6
    assert rate.at(100) == rate.at(1000) == 1e-6


def test_between_its_ends_it_is_the_formula():
    decay = Cosine(0.04, 0.4, 50, warmup=7, warmup_from=0.01)

    for step in range(7, 50):
        share = (step - 7) / 43
        want = 0.4 + 0.5 * (0.04 - 0.4) * (1 + math.cos(math.pi * share))
        assert decay.at(step) == pytest.approx(want)
    assert decay.at(0) == 0.01


def test_it_rises_and_then_falls():
    rate = Cosine(1.0, 0.1, 60, warmup=20)
    values = [rate.at(step) for step in range(61)]

    assert values[:21] == sorted(set(values[:21]))
    assert values[20:] == sorted(set(values[20:]), reverse=True)


def test_a_line_at_every_end():
    temperature = Linear(0.04, 0.07, 30)

    assert temperature.at(0) == 0.04
    assert temperature.at(10) == pytest.approx(0.05)
    assert temperature.at(29) < 0.07
    assert temperature.at(30) == temperature.at(500) == 0.07


def test_what_never_changes():
    assert Linear(2.0, 2.0, 0).at(0) == Linear(2.0, 2.0, 0).at(9) == 2.0
    assert Cosine(0.994, 0.994, 10).at(3) == pytest.approx(0.994)


def test_only_warmup():
    rate = Cosine(1.0, 0.5, 4, warmup=4)

    assert [rate.at(step) for step in range(5)] == [0.0, 0.25, 0.5, 0.75, 0.5]


def test_impossible_ones_are_refused():
    with pytest.raises(ValueError, match="warmup must be from 0 to the 10 steps in all, got 11"):
        Cosine(1.0, 0.0, 10, warmup=11)
    with pytest.raises(ValueError, match="steps must be 0 or more, got -1"):
        Linear(1.0, 0.0, -1)
