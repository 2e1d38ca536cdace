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
from operators.track.visits import CUT, LEFT, Visit, cut_short, visited

DOCK = Zone("dock", ((0.2, 0.2), (0.4, 0.2), (0.4, 0.4), (0.2, 0.4)))
YARD = Zone("yard", ((0, 0), (1, 0), (1, 1), (0, 1)))
AREAS = Scene.of(Places((DOCK, YARD)), (500, 500)).areas


@pytest.fixture
def track(sighted: Callable[..., Sightings], frame: Callable[..., FrameInfo]) -> Track:
    seen = sighted([(0, 0, 40)], labels=[7]).of(0)
    return replace(first_seen(Moment.of(frame(0)), seen), id=5)


def test_a_zone_is_entered_and_left(track: Track, frame: Callable[..., FrameInfo]) -> None:
    entered, over = [], []
    for number, x in enumerate([50, 98, 102, 110, 150, 198, 202, 210, 250]):
        track = replace(track, last=Moment.of(frame(number)))
        track, into, left = visited(track, Ground(x, 150, 4), AREAS, frame(number))
        entered += [(number, zone) for zone in into]
        over += left
    assert entered == [(0, "yard"), (3, "dock")]
    assert over == [Visit("dock", 5, 7, frame(3), Moment.of(frame(7)), LEFT)]
    assert over[0].dwell_s == pytest.approx(0.8)
    assert cut_short(track, CUT) == [Visit("yard", 5, 7, frame(0), Moment.of(frame(8)), CUT)]


def test_a_visit_is_json_there_and_back(frame: Callable[..., FrameInfo]) -> None:
    visit = Visit("dock", 5, 7, frame(3), Moment.of(frame(7)), LEFT)
    assert Visit.from_json(visit.to_json()) == visit
