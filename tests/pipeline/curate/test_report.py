"""The report says of every recording what it gave, in one order."""

import json

import numpy as np

from pipeline.curate.chosen import Chosen, entries_of
from pipeline.curate.funnel import Funnel
from pipeline.curate.report import report_of
from pipeline.curate.selection import Decision
from pipeline.curate.wish import Shown, Wish
from pipeline.dedupe.calibration import Calibration
from pipeline.dedupe.measuring import Point

FACTS = {"model": "dinov2_vitti14-0123", "short_side": 28}


def report(harvests, wish):
    said = [Decision("taken", "why", 0)] * sum(len(one.candidates) for one in harvests)
    chosen = [Chosen(*one) for one in zip(entries_of(harvests), said, strict=True)]
    return report_of(FACTS, wish, Funnel.of(harvests, said), harvests, chosen)


def test_every_recording_is_in_it(harvested):
    torn = harvested(np.zeros((0, 8)), "alley", outcome="rejected")
    gate = harvested(np.eye(8)[:3], "gate")
    found = report([gate, torn], Wish(5, 0.9))
    assert found == report([torn, gate], Wish(5, 0.9))
    (first, second) = found["recordings"]
    assert (first["stream"], first["outcome"], first["detail"]) == ("alley", "rejected", "torn")
    assert (second["decoded"], second["candidates"], second["taken"]) == (30, 3, 3)
    assert found["funnel"]["candidates"] == 3
    assert found["setup"] == FACTS
    assert json.loads(json.dumps(found)) == found


def test_the_way_to_seeds_is_told_where_there_are_seeds(harvested):
    given = [harvested(np.eye(8)[:3])]
    seeds = Shown(("a.png",), np.eye(8, dtype=np.float32)[:1])
    assert "per_seed" not in report(given, Wish(5, 0.9))["wish"]
    assert report(given, Wish(5, 0.9, seeds=seeds))["wish"]["per_seed"] == 4
    assert report(given, Wish(5, 0.9, seeds=seeds, clusters=2))["wish"]["more_than"] == 3


def test_the_cosine_of_references_is_told_where_there_are_some(harvested):
    given = [harvested(np.eye(8)[:3])]
    shown = Shown(("a.png",), np.eye(8, dtype=np.float32)[:1])
    assert "reference_threshold" not in report(given, Wish(5, 0.9))["wish"]
    for own, said in ((None, 0.9), (0.45, 0.45)):
        wish = Wish(5, 0.9, references=shown, reference_threshold=own)
        assert report(given, wish)["wish"]["reference_threshold"] == said


def test_a_threshold_by_hand_beside_a_calibration_is_none_that_was_measured(harvested):
    given = [harvested(np.eye(8)[:3])]
    point = Point(*[0.8] * len(Point.__slots__))
    calibration = Calibration("m", 28, "centred", 0.99, point, {}, {}, (), None)

    def told(wish):
        own = report(given, wish)["wish"]
        return own["threshold"], own["compared"], own["measured"]

    assert told(Wish(5, 0.8, calibration)) == (0.8, "centred", True)
    assert told(Wish(5, 0.9, calibration)) == (0.9, "centred", False)
    assert told(Wish(5, 0.8)) == (0.8, "raw", False)
