"""The report says of every recording what it gave, in one order."""

import json

import numpy as np

from pipeline.curate.chosen import Chosen, entries_of
from pipeline.curate.funnel import Funnel
from pipeline.curate.report import report_of
from pipeline.curate.selection import Decision
from pipeline.curate.setup import Setup
from pipeline.curate.wish import Shown, Wish

SETUP = Setup("dinov2_vitti14", "demo", 0, None, "torch", short_side=28)


def report(harvests, wish):
    said = [Decision("taken", "why", 0)] * sum(len(one.candidates) for one in harvests)
    chosen = [Chosen(*one) for one in zip(entries_of(harvests), said, strict=True)]
    return report_of(SETUP, wish, Funnel.of(harvests, said), harvests, chosen)


def test_every_recording_is_in_it(harvested):
    torn = harvested(np.zeros((0, 8)), "alley", outcome="rejected")
    gate = harvested(np.eye(8)[:3], "gate")
    found = report([gate, torn], Wish(5, 0.9))
    assert found == report([torn, gate], Wish(5, 0.9))
    (first, second) = found["recordings"]
    assert (first["stream"], first["outcome"], first["detail"]) == ("alley", "rejected", "torn")
    assert (second["decoded"], second["candidates"], second["taken"]) == (30, 3, 3)
    assert found["funnel"]["candidates"] == 3
    assert json.loads(json.dumps(found)) == found


def test_the_way_to_seeds_is_told_where_there_are_seeds(harvested):
    given = [harvested(np.eye(8)[:3])]
    seeds = Shown(("a.png",), np.eye(8, dtype=np.float32)[:1])
    assert "per_seed" not in report(given, Wish(5, 0.9))["wish"]
    assert report(given, Wish(5, 0.9, seeds=seeds))["wish"]["per_seed"] == 4
    assert report(given, Wish(5, 0.9, seeds=seeds, clusters=2))["wish"]["more_than"] == 3
