"""Panels stand side by side in the order in which they are read, and none lies on another."""

from dataclasses import dataclass
from itertools import combinations

import pytest

from pipeline.plot.panel import Foot
from pipeline.plot.sheet import sheet
from pipeline.plot.svg import Drawing

RED = (200, 0, 0)


@dataclass
class Block:
    """A panel that is one rectangle."""

    name: str
    high: float = 100
    wide: bool = False

    @property
    def spoken(self):
        return f"{self.name} speaks"

    def height(self, width):
        return self.high

    def draw(self, drawing, left, top, width):
        drawing.box(left, top, left + width, top + self.high, RED, self.name)


@pytest.fixture
def blocks(shown):
    """Lays blocks out; gives the corners of each."""

    def laid(*panels):
        areas = shown(sheet("a sheet", ["A fact."], panels)).areas
        return {one.name: (areas[one.name][0][0], areas[one.name][0][2]) for one in panels}

    return laid


def test_two_stand_side_by_side_and_a_wide_one_alone(blocks):
    found = blocks(Block("a"), Block("b", 150), Block("c", wide=True), Block("d"))
    (a, b, c, d) = (found[name] for name in "abcd")
    assert a[0][1] == b[0][1]
    assert b[1][1] < c[0][1] < c[1][1] < d[0][1]
    assert a[0][0] == c[0][0] == d[0][0]
    assert c[1][0] == b[1][0]
    for (one_low, one_high), (low, high) in combinations(found.values(), 2):
        assert one_high[0] < low[0] or high[0] < one_low[0] or one_high[1] < low[1]


def test_all_of_it_lies_within_and_is_spoken(shown):
    document = sheet("t" * 500, ["fact " * 100], [Block("a"), Block("b", 300)])
    seen = shown(document)
    width, height = (float(text) for text in seen.size)
    for corners in (*seen.areas["a"], *seen.areas["b"]):
        assert all(0 < x < width and 0 < y < height for x, y in corners)
    assert seen.texts[0].endswith("…")
    assert seen.description.splitlines()[-2:] == ["a speaks", "b speaks"]


def test_a_foot_is_as_high_as_what_it_draws(shown):
    for width in (60, 200, 900):
        foot = Foot([(f"name {n}", RED) for n in range(9)], ["A note of some words."], "A warning.")
        drawing = Drawing(1000, 1000, "", "")
        foot.draw(drawing, (0, 100), width)
        seen = shown(drawing.document())
        lowest = max(seen.baselines)
        assert 100 + foot.height(width) - 16 < lowest < 100 + foot.height(width)
        assert min(seen.baselines) > 100
    assert Foot().height(100) == 0
