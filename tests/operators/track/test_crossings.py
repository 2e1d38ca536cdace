"""Who crosses which line: once, in the right direction, and not by trembling on it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from operators.track.crossings import IN, OUT, Crossing, counted, crossed
from operators.track.ground import Border, Ground
from operators.track.sightings import Sightings
from operators.track.track import Moment, Track, first_seen

GATE = Border("gate", (100, 200), (300, 200))


@pytest.fixture
def track(sighted: Callable[..., Sightings], at: Callable[[float], Moment]) -> Track:
    seen = sighted([(0, 0, 40)], labels=[7])
    return replace(first_seen(at(0), seen.of(0)), id=5)


def walked(track: Track, points: Sequence[tuple[float, float]], border: Border = GATE) -> list[str]:
    """Directions in which a border is crossed on the way."""
    told = []
    for x, y in points:
        track, found = crossed(track, Ground(x, y, 4), [border])
        told += [one.direction for one in found]
    return told


def test_a_line_is_crossed_in_and_out(track: Track) -> None:
    assert walked(track, [(200, 180), (200, 220), (210, 240), (200, 150)]) == [IN, OUT]
    track, _ = crossed(track, Ground(200, 180, 4), [GATE])
    _, found = crossed(track, Ground(200, 220, 4), [GATE])
    assert found == [Crossing("gate", IN, 5, 7)]


def test_who_trembles_on_a_line_crosses_it_once_or_not_at_all(track: Track) -> None:
    tremble = [(200.0, 200.0 + off) for off in (-3, 3, -2, 4, -4, 1)]
    assert walked(track, [(200, 180), *tremble, (200, 182)]) == []
    assert walked(track, [(200, 180), *tremble, (200, 220)]) == [IN]


def test_who_goes_round_a_line_does_not_cross_it(track: Track) -> None:
    assert walked(track, [(90, 150), (80, 190), (80, 230), (200, 230)]) == []
    assert walked(track, [(90, 150), (80, 230), (200, 230), (200, 150)]) == [OUT]


def test_who_comes_to_be_on_a_line_was_on_neither_side(track: Track) -> None:
    assert walked(track, [(200, 200), (200, 230)]) == []


def test_what_is_crossed_before_there_is_an_id_counts_when_there_is_one(track: Track) -> None:
    new = replace(track, id=0)
    for y in (180, 220):
        new, found = crossed(new, Ground(200, y, 4), [GATE])
        assert found == []
    _, found = crossed(replace(new, id=5), Ground(200, 240, 4), [GATE])
    assert found == [Crossing("gate", IN, 5, 7)]


def test_crossings_are_counted_by_line_label_and_direction() -> None:
    counts = counted({}, [Crossing("gate", IN, 1, 7), Crossing("gate", IN, 2, 7)])
    counts = counted(counts, [Crossing("gate", OUT, 1, 7), Crossing("door", OUT, 3, 2)])
    assert counts == {"gate": {7: (2, 1)}, "door": {2: (0, 1)}}
