"""Bars are as long as their numbers, with ranges and goals where they belong."""

import pytest

from pipeline.plot.bars import Bar, Bars, Part
from pipeline.plot.svg import Drawing

RED, BLUE = (200, 0, 0), (0, 0, 200)


@pytest.fixture
def drawn(shown):
    def made(*rows, **more):
        drawing = Drawing(500, 400, "", "")
        Bars("a", "b", rows, **more).draw(drawing, 0, 0, 400)
        return shown(drawing.document())

    return made


def test_parts_follow_each_other(drawn):
    seen = drawn(
        Bar("one", [Part(10, RED, "r1"), Part(30, BLUE, "b1")], "40"),
        Bar("two", [Part(20, RED, "r2"), Part(0, BLUE, "none")], "20"),
    )
    ((r1,), (b1,), (r2,)) = (seen.widths(name) for name in ("r1", "b1", "r2"))
    assert (b1, r2) == pytest.approx((3 * r1, 2 * r1), abs=0.3)
    assert min(x for x, _ in seen.areas["b1"][0]) == max(x for x, _ in seen.areas["r1"][0])
    assert "none" not in seen.areas
    assert {"one", "two", "40", "20"} <= set(seen.texts)


def test_a_goal_and_a_range_stand_on_the_same_scale(drawn):
    seen = drawn(Bar("one", [Part(10, RED, "r")], "10", low=5, high=20, goal=15))
    (area,) = seen.areas["r"]
    zero, ten = min(x for x, _ in area), max(x for x, _ in area)
    ink = [one for one in seen.rules if one["class"] == "ink-line"]
    places = [tuple((float(one[n]) - zero) / (ten - zero) for n in ("x1", "x2")) for one in ink]
    expected = [(0.5, 2), (0.5, 0.5), (2, 2), (1.5, 1.5)]
    assert places == [pytest.approx(pair, abs=0.01) for pair in expected]
    assert [one.get("stroke-dasharray") is not None for one in ink] == [False] * 3 + [True]


def test_what_is_below_0_goes_the_other_way(drawn):
    seen = drawn(Bar("up", [Part(4, RED, "up")], "4"), Bar("down", [Part(-2, RED, "down")], "-2"))
    assert seen.widths("up")[0] == pytest.approx(2 * seen.widths("down")[0], abs=0.3)
    assert max(x for x, _ in seen.areas["down"][0]) == min(x for x, _ in seen.areas["up"][0])


def test_all_zero_can_be_drawn(drawn):
    assert "0 frames" in drawn(Bar("none", [Part(0, RED, "r")], "0 frames")).texts


def test_a_name_that_is_too_long_leaves_room(drawn):
    seen = drawn(Bar("n" * 200, [Part(1, RED, "r")], "1"))
    assert seen.widths("r")[0] > 50
    assert any(text.endswith("…") for text in seen.texts)
