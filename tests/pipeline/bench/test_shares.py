"""Milliseconds per frame, shares of the same lap, the goal."""

from __future__ import annotations

import pytest

from pipeline.bench.lap import Lap
from pipeline.bench.shares import CPU, SHARE, TIME, lap_figures, together


def lap(slowness=1.0, depth_s=0.1):
    wall_s = {"backbone": slowness, "depth": depth_s * slowness, "pca": 0.2 * slowness}
    return Lap(wall_s, {name: 1.0 for name in wall_s}, {"depth": [], "pca": []})


def test_times_are_per_frame_and_shares_of_the_same_lap():
    figures = lap_figures([lap(), lap(3.0), lap(0.5)], frames=10)
    assert list(figures) == ["backbone", "depth", "pca"]
    time, cpu, share = figures["depth"]
    assert (time.name, cpu.name, share.name) == (TIME, CPU, SHARE)
    assert time.values == pytest.approx([10.0, 30.0, 5.0])
    assert cpu.median == pytest.approx(100.0)
    assert share.values == pytest.approx([10.0] * 3)
    assert [one.name for one in figures["backbone"]] == [TIME, CPU]


@pytest.mark.parametrize(("depth_s", "met"), [(0.15, True), (0.16, False)])
def test_the_sum_of_the_defaults_is_held_to_the_goal(depth_s, met):
    default, default_cpu, *_, everybody, everybody_cpu = together(
        [lap(depth_s=depth_s)], ("depth",), held=True
    )
    assert default.median == pytest.approx(depth_s * 100)
    assert default.met is met
    assert everybody.median == pytest.approx(depth_s * 100 + 20)
    assert default_cpu.median == pytest.approx(100)
    assert everybody_cpu.median == pytest.approx(200)
    assert [one.met for one in (default_cpu, everybody, everybody_cpu)] == [None] * 3


@pytest.mark.parametrize(("detect_s", "met"), [(0.15, True), (0.16, False)])
def test_who_is_where_is_held_to_a_goal_of_its_own(detect_s, met):
    wall_s = {"backbone": 1.0, "depth": 0.5, "detect": detect_s, "zones": 0.1}
    one = Lap(wall_s, dict.fromkeys(wall_s, 1.0), {"depth": [], "detect": [], "zones": []})
    _, _, places, places_cpu, *_ = together([one], ("depth",), held=True)
    assert places.name == "who is where (zones, detect)"
    assert places.median == pytest.approx(100 * (detect_s + 0.1))
    assert places.met is met
    assert places_cpu.median == pytest.approx(200)


def test_another_size_has_no_goal():
    assert together([lap()], ("depth",), held=False)[0].met is None
