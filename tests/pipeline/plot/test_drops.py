"""Dropped and lost frames by cause and time, as events tell."""

import pytest

from pipeline.plot.drops import Drops
from pipeline.stream.chunk import CAUSES


def event(stored, at_s=0.0, **said):
    return stored(topic="events", data={"stream": "gate", **said}, ce_ingesttime=stored.at(at_s))


def test_causes_are_apart_and_in_time(asked, stored):
    records = [
        event(stored, kind="dropped", dropped=7, cause="full"),
        event(stored, 2, kind="dropped", dropped=5, cause="full"),
        event(stored, 2, kind="dropped", dropped=2, cause="late"),
        event(stored, 1, kind="crashed", lost=3),
        event(stored, 1, kind="dropped", dropped=1, cause="a later release's"),
        event(stored, 3, kind="ended", lost=3),
        event(stored, 4, kind="started"),
    ]
    (panel,) = asked(Drops(), records)
    assert {one.name: list(one.values) for one in panel.series} == {
        "full (12)": [7, 0, 5],
        "late (2)": [0, 0, 2],
        "lost by a fault (3)": [0, 3, 0],
        "cause unknown (1)": [0, 1, 0],
    }


def test_every_cause_has_a_colour_of_its_own(asked, stored):
    records = [event(stored, kind="dropped", dropped=1, cause=cause, lost=1) for cause in CAUSES]
    (panel,) = asked(Drops(), records)
    assert len({one.colour for one in panel.series}) == len(CAUSES) + 1


def test_none_is_said_to_be_none(asked, stored):
    (panel,) = asked(Drops(), [event(stored, kind="started")])
    assert panel.said == "No event tells of a frame that was dropped or lost."


@pytest.mark.parametrize("dropped", [-1, "many", None, float("nan"), float("inf"), 10**400])
def test_what_is_no_number_is_refused(stored, dropped):
    with pytest.raises((ValueError, TypeError)):
        Drops().see(event(stored, kind="dropped", dropped=dropped, cause="full"))
