"""Lines and areas are as high as their values, in every bin."""

import pytest

from pipeline.plot.bins import Span
from pipeline.plot.over_time import OverTime, Series
from pipeline.plot.svg import Drawing

RED, BLUE = (200, 0, 0), (0, 0, 200)


@pytest.fixture
def drawn(shown):
    def made(*series, **more):
        panel = OverTime("a", "b", Span(0, 1, len(series[0].values)), series, **more)
        drawing = Drawing(500, 400, "", "")
        panel.draw(drawing, 0, 0, 400)
        return shown(drawing.document())

    return made


def test_areas_lie_one_on_another(drawn):
    seen = drawn(
        Series("low", [1, 2, 0], RED), Series("high", [3, 0, 4], BLUE), stacked=True, top=4
    )
    (low,) = seen.areas["low"]
    first, second = seen.areas["high"]
    (unit,) = {round(height / 4, 1) for height in seen.heights("high")[1:]}
    assert unit == pytest.approx(150 / 4, abs=0.1)
    floor = max(y for _, y in low)
    assert [floor - y for _, y in low[:4]] == pytest.approx(
        [unit, unit, 2 * unit, 2 * unit], abs=0.2
    )
    assert (min(y for _, y in first), max(y for _, y in first)) == pytest.approx(
        (floor - 4 * unit, floor - unit), abs=0.2
    )
    assert min(x for x, _ in second) == pytest.approx(max(x for x, _ in low), abs=0.2)


def test_a_line_has_a_gap_where_nothing_is_known(drawn):
    seen = drawn(Series("a", [1, None, 3, 3, None], RED))
    assert len(seen.lines) == 2
    (before, after) = seen.lines
    heights = [floor(seen) - line[0][1] for line in (before, after)]
    assert heights[1] == pytest.approx(3 * heights[0], rel=0.02)
    assert len({y for _, y in after}) == 1
    assert after[-1][0] - after[0][0] == pytest.approx(2 * (before[-1][0] - before[0][0]), abs=0.2)


def test_all_zero_and_one_bin_can_be_drawn(drawn):
    assert len(drawn(Series("a", [0], RED)).lines) == 1
    assert not drawn(Series("a", [0], RED), stacked=True).areas


def test_axes_have_units_and_the_legend_has_every_colour(drawn):
    seen = drawn(Series("a", [1], RED), Series("a, more", [2], RED, dashed=True), notes=["Why so."])
    assert {"a", "b", "0:00", "time in the recording"} <= set(
        drawn(Series("a", [1], RED), along="recording").texts
    )
    assert "Why so." in seen.texts
    assert seen.texts.count("a, more") == 0


def floor(seen):
    """Where 0 is."""
    return max(float(one["y1"]) for one in seen.rules if one["class"] == "rule-line")
