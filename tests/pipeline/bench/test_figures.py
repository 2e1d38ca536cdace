"""Medians, ratios of the same round, goals."""

from __future__ import annotations

import pytest

from operators.bench.figure import Figure
from pipeline.bench.figures import contender_figures, job_figures, outside_ms
from pipeline.bench.trial import Trial


def trial(contender, seconds, cpu_s, start_s=None):
    return Trial(contender, seconds, cpu_s, 100, start_s, 512 << 20, None, None)


def a_round(slowness=1.0):
    return {
        "plain": trial("plain", 12.0 * slowness, 20.0),
        "inline": trial("inline", 10.0 * slowness, 21.0, start_s=4.0),
        "decode": trial("decode", 1.0 * slowness, 1.0),
        "engine": trial("engine", 9.5 * slowness, 18.0),
    }


def by_name(figures):
    return {one.name: one for one in figures}


def test_what_is_compared_ran_in_the_same_round():
    figures = by_name(job_figures([a_round(), a_round(3.0), a_round(0.5)]))
    assert figures["inline: speed of the plain loop's"].values == pytest.approx([1.2] * 3)
    assert figures["inline: speed of the ideal's"].values == pytest.approx([1.05] * 3)
    assert figures["inline: CPU outside backbone and heads"].median == pytest.approx(30.0)
    assert all(one.met for one in figures.values())


def test_a_runtime_that_did_not_run_has_no_figures():
    assert all(one.name.startswith("inline") for one in job_figures([a_round()]))


def test_a_missed_goal_is_said():
    slow = a_round() | {"inline": trial("inline", 20.0, 30.0, start_s=6.0)}
    assert [one.met for one in job_figures([slow])] == [False] * 4


def test_cpu_outside_is_what_the_engine_alone_does_not_take():
    assert outside_ms(a_round(), "inline") == pytest.approx(30.0)


def test_a_contender_by_itself():
    figures = by_name(contender_figures([a_round(), a_round(2.0), a_round(4.0)], "inline"))
    assert figures["time"].median == pytest.approx(20.0)
    assert figures["rate"].values == pytest.approx([10.0, 5.0, 2.5])
    assert figures["CPU"].median == pytest.approx(210.0)
    assert figures["peak memory"].median == pytest.approx(512.0)
    assert "decode process" not in figures
    assert "start to first record" not in by_name(contender_figures([a_round()], "engine"))


def test_a_figure_without_a_goal_is_neither_met_nor_missed():
    assert Figure("x", "s", (1.0,)).met is None
    assert Figure("x", "s", (1.0, 3.0, 2.0), 2.0, at_least=False).met is True
