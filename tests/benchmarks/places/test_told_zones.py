"""Off true maps the operator `zones` tells what happens in a yard, and nothing else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks.places.__main__ import ASKED
from benchmarks.places.happened import happened
from benchmarks.places.question import scored
from benchmarks.places.spell import Spell
from benchmarks.places.told_zones import told_of_true_maps
from pipeline.synthetic.uri import SceneSpec

YARD = SceneSpec("yard", seed=700, seconds=20.0, fps=5, size_wh=(196, 112))


@pytest.mark.slow
def test_stays_are_told_as_they_happen():
    true = happened(replace(YARD, fps=10), ASKED)["share"]
    told = told_of_true_maps(YARD, ASKED)
    for kind in ("stay", "occupancy"):
        found = scored(kind, true, told)
        assert found.true > 2, kind
        assert (found.precision, found.recall) == (1.0, 1.0), kind
        assert max(found.off_s) <= 0.4, kind


def test_answers_are_scored_place_by_place():
    true = {("stay", "dock", "box"): [Spell(0.0, 4.0)], ("stay", "gate", "box"): []}
    told = {("stay", "gate", "box"): [Spell(0.0, 4.0)], ("dwell", "dock", "box"): [Spell(0.0, 4.0)]}
    found = scored("stay", true, told)
    assert (found.true, found.found, found.both) == (1, 1, 0)
