"""Who is in which zone: entered once, left once, and how long it took."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from operators.frames import FrameInfo
from operators.places.places import Places
from operators.places.shapes import Zone
from operators.track.ground import Ground
from operators.track.scene import Scene
from operators.track.sightings import Sightings
from operators.track.track import Moment, Track, first_seen
from operators.track.visits import CUT, ENTERED, LEFT, Visit, cut_short, visited

DOCK = Zone("dock", ((0.2, 0.2), (0.4, 0.2), (0.4, 0.4), (0.2, 0.4)))
YARD = Zone("yard", ((0, 0), (1, 0), (1, 1), (0, 1)))
AREAS = Scene.of(Places((DOCK, YARD)), (500, 500)).areas


@pytest.fixture
def track(sighted: Callable[..., Sightings], frame: Callable[..., FrameInfo]) -> Track:
    seen = sighted([(0, 0, 40)], labels=[7]).of(0)
    return replace(first_seen(Moment.of(frame(0)), seen), id=5)


def test_a_zone_is_entered_and_left(track: Track, frame: Callable[..., FrameInfo]) -> None:
    told = []
    for number, x in enumerate([50, 98, 102, 110, 150, 198, 202, 210, 250]):
        track = replace(track, last=Moment.of(frame(number)))
        track, visits = visited(track, Ground(x, 150, 4), AREAS, frame(number))
        told += [(number, one) for one in visits]
    assert told == [
        (0, Visit(ENTERED, "yard", 5, 7, frame(0))),
        (3, Visit(ENTERED, "dock", 5, 7, frame(3))),
        (7, Visit(LEFT, "dock", 5, 7, frame(3), Moment.of(frame(7)))),
    ]
    last = Moment.of(frame(8))
    assert cut_short(track, CUT) == [Visit(CUT, "yard", 5, 7, frame(0), last)]


def test_what_has_no_id_is_in_no_zone_yet(track: Track, frame: Callable[..., FrameInfo]) -> None:
    new = replace(track, id=0)
    same, told = visited(new, Ground(150, 150, 4), AREAS, frame(0))
    assert (same.visits, told) == ({}, [])
