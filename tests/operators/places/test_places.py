"""Places: what can be drawn, JSON there and back, one hash for what is equal."""

import json

import numpy as np
import pytest

from operators.places.alert import Alert
from operators.places.places import Places
from operators.places.shapes import Line, Zone

DOCK = Zone("dock", ((0.0, 0.5), (0.5, 0.5), (0.5, 1.0), (0.0, 1.0)))
DOOR = Zone("door", ((10.0, 10.0), (30.0, 10.0), (20.0, 40.0)), "pixels")
GATE = Line("gate", ((0.0, 0.0), (1.0, 1.0)))
NEAR = Alert("near", "dock", nearest_below_m=2.0, for_s=1.0)
PLACES = Places((DOOR, DOCK), (GATE,), (NEAR,))


def test_they_travel_as_json():
    assert Places.from_json(json.loads(json.dumps(PLACES.to_json()))) == PLACES


def test_the_hash_is_of_what_is_drawn_and_not_of_its_order():
    same = Places((DOCK, DOOR), (GATE,), (NEAR,))
    assert (same, same.hash) == (PLACES, PLACES.hash)
    others = [
        Places((DOCK,), (GATE,), (NEAR,)),
        Places((DOCK, DOOR), (), (NEAR,)),
        Places((DOCK, DOOR), (GATE,)),
        Places((DOCK, Zone("door", DOOR.points[::-1], "pixels")), (GATE,), (NEAR,)),
    ]
    assert len({PLACES.hash, *(one.hash for one in others)}) == 5


def test_pixels_become_shares_of_the_picture_they_are_of():
    assert DOOR.outline((50, 100)) == ((0.1, 0.2), (0.3, 0.2), (0.2, 0.8))
    assert DOCK.outline((50, 100)) == DOCK.points
    with pytest.raises(ValueError, match=r"zone door: point 3, .* which is 100 x 39 pixels"):
        DOOR.outline((39, 100))
    with pytest.raises(ValueError, match=r"line far: point 2, .* outside the picture"):
        Line("far", ((0, 0), (101, 5)), "pixels").ends((50, 100))


def test_a_zone_is_laid_over_a_map_of_any_size():
    assert DOCK.cells((2, 2), (360, 640)).tolist() == [[0, 0], [1, 0]]
    assert DOCK.cells((3, 4), (360, 640)).tolist() == [[0] * 4, [0.5, 0.5, 0, 0], [1, 1, 0, 0]]
    cells = DOOR.cells((5, 10), (50, 100))
    assert cells.sum() == pytest.approx(3.0)
    assert np.flatnonzero(cells.sum(axis=0)).tolist() == [1, 2]


@pytest.mark.parametrize(
    ("draw", "text"),
    [
        (lambda: Zone("a b", DOCK.points), "a name has 1 to 64 of"),
        (lambda: Zone("dock", ((0, 0), (1, 0), (1, 1.5))), r"point 3, .*: want 0 to 1; for pixels"),
        (lambda: Zone("dock", ((0, 0), (1, -1), (9, 9)), "pixels"), "point 2, .*pixels from 0 on"),
        (lambda: Zone("dock", ((0, 0), (1, 0), (1, float("nan")))), "point 3"),
        (lambda: Line("gate", ((0, 0),)), "a line has 2 points, this one has 1"),
        (lambda: Line("gate", ((0, 0.5), (0, 0.5))), "has no length"),
        (lambda: Alert("a", "dock"), "want one of share_over and nearest_below_m"),
        (lambda: Alert("a", "dock", "car", 0.5, 2.0), "want one of share_over and nearest_below_m"),
        (lambda: Alert("a", "dock", share_over=0.5), "share_over wants a label"),
        (lambda: Alert("a", "dock", "car", share_over=1.0), "from 0 to below 1, got 1.0"),
        (lambda: Alert("a", "dock", nearest_below_m=0), "should be metres, got 0"),
        (lambda: Alert("a", "dock", nearest_below_m=2, for_s=-1), "should be seconds, got -1"),
        (lambda: Places((DOCK, DOCK)), "two are called dock: give each zone or line its own"),
        (lambda: Places((DOCK,), (Line("dock", GATE.points),)), "two are called dock"),
        (lambda: Places((DOCK,), (), (NEAR, NEAR)), "two are called near: give each alert its"),
        (lambda: Places((DOOR,), (), (NEAR,)), "alert near: there is no zone 'dock'; zones: door"),
        (lambda: Places((), (), (NEAR,)), "there is no zone 'dock'; zones: none"),
    ],
)
def test_what_cannot_be_is_refused_with_the_reason(draw, text):
    with pytest.raises(ValueError, match=text):
        draw()
