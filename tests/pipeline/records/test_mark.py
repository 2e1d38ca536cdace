"""Marks: what they hold, and how far one reaches."""

from __future__ import annotations

import json

import pytest

from pipeline.records.mark import REACH, Mark, Place
from pipeline.stream.progress import Progress

RUNNING = Progress("feedfacecafe", "cam1", sequence=7, epoch=2, operators={"action": "AAE="})
ENDED = Progress("feedfacecafe", "cam1", sequence=8, epoch=2, status="ok")


@pytest.mark.parametrize("place", [None, Place(3, 120)])
@pytest.mark.parametrize("progress", [RUNNING, ENDED])
def test_a_mark_comes_back_as_it_was(progress, place):
    mark = Mark(progress, "dinostream-5f0c1d2e3a4b", place)
    assert Mark.from_json(json.loads(mark.to_json())) == mark
    assert mark.key == ("feedfacecafe", "cam1")


def test_who_has_ended_holds_nothing():
    assert Mark(RUNNING, "w").holder == "w"
    assert Mark(ENDED, "w").holder == ""


@pytest.mark.parametrize(
    ("place", "reached"),
    [
        (Place(1, 500), True),
        (Place(1, 500 + REACH), True),
        (Place(1, 500 + REACH + 1), False),
        (Place(1, 499), False),
        (Place(2, 501), False),
    ],
)
def test_a_mark_reaches_so_far(place, reached):
    here = Place(1, 500)
    assert here.reaches(place) is reached
    assert (place.partition == 1 and here.offset <= place.offset < here.end) is reached


def test_what_is_done_needs_nothing_to_go_on():
    full = Progress(
        "j", "s", cursor={"part": 0}, operators={"a": "AAE="}, gaps={"a": {}}, status="ok"
    )
    assert full.settled() == Progress("j", "s", status="ok")
    stopped = Progress("j", "s", cursor={"part": 0}, operators={"a": "AAE="}, status="stopped")
    assert stopped.settled() == stopped
