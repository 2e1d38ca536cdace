"""Off true boxes the operator `track` tells who visits zones and crosses lines in a yard."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks.places.__main__ import ASKED, OF_TRACKS
from benchmarks.places.happened import happened
from benchmarks.places.question import scored
from benchmarks.places.spell import Score
from benchmarks.places.told_tracks import told_of_true_boxes
from pipeline.synthetic.uri import SceneSpec

YARD = SceneSpec("yard", seed=700, seconds=40.0, fps=5, size_wh=(196, 112), bodies=2)


@pytest.mark.slow
def test_where_two_walk_visits_and_crossings_are_told_as_they_happen():
    true = happened(replace(YARD, fps=10), ASKED)["foot"]
    told = told_of_true_boxes(YARD, ASKED)
    found = sum((scored(kind, true, told, 1.4) for kind in OF_TRACKS), Score())
    assert found.true > 3
    assert (found.precision, found.recall) == (1.0, 1.0)
    assert max(found.off_s) <= 0.6
