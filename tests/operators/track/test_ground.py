"""Sides of lines and zones: where a thing stands, which way is in, and how wide a border is."""

from __future__ import annotations

import pytest

from operators.places.places import Places
from operators.places.shapes import Line, Zone
from operators.track.ground import Area, Border, Ground
from operators.track.motion import Motion
from operators.track.scene import Scene

ALONG = Border("gate", (100, 200), (300, 200))  # from left to right
CORNERS = [(0, 0), (100, 0), (100, 50), (50, 50), (50, 100), (0, 100)]
SIDES = list(zip(CORNERS, [*CORNERS[1:], CORNERS[0]], strict=True))
L_SHAPED = Area("dock", SIDES, SIDES)


def at(x: float, y: float, reach: float = 4) -> Ground:
    return Ground(x, y, reach)


def test_a_thing_stands_at_the_middle_of_its_lower_edge_or_of_its_box() -> None:
    motion = Motion.of_box((10, 20, 50, 100))
    bottom, centre = (Ground.of(motion, anchor, (360, 640)) for anchor in ("bottom", "centre"))
    assert (bottom.x, bottom.y) == (30, 100)
    assert (centre.x, centre.y) == (30, 60)
    assert bottom.reach == centre.reach == pytest.approx(0.1 * (40 * 80) ** 0.5)


def test_the_right_hand_of_who_looks_along_a_line_is_in() -> None:
    assert ALONG.side(at(200, 210)) == 1, "below it, where it goes to the right"
    assert ALONG.side(at(200, 190)) == -1
    back = Border("gate", ALONG.second, ALONG.first)
    assert (back.side(at(200, 210)), back.side(at(200, 190))) == (-1, 1)
    down = Border("door", (100, 100), (100, 300))
    assert (down.side(at(90, 200)), down.side(at(110, 200))) == (1, -1)


def test_a_border_is_as_wide_as_things_are_seen_inexactly() -> None:
    assert [ALONG.side(at(200, 200 + off)) for off in (-4.1, -4, 0, 4, 4.1)] == [-1, 0, 0, 0, 1]
    assert ALONG.side(at(9000, 204.1)) == 1, "however far along it"


def test_the_way_has_to_pass_between_the_ends_of_a_line() -> None:
    assert ALONG.is_between((150, 190), (250, 210))
    assert not ALONG.is_between((90, 190), (90, 210))
    assert not ALONG.is_between((310, 210), (310, 190))
    assert ALONG.is_between((80, 180), (120, 220)), "in the middle of which is the end itself"


def test_within_a_zone_outside_and_on_its_border() -> None:
    inside = [(25, 25), (75, 25), (25, 75), (45, 45)]
    outside = [(75, 75), (-10, 50), (50, 120), (60, 60)]
    assert {L_SHAPED.side(at(*point)) for point in inside} == {1}
    assert {L_SHAPED.side(at(*point)) for point in outside} == {-1}
    assert {L_SHAPED.side(at(*point)) for point in [(2, 50), (-2, 50), (52, 52), (104, 25)]} == {0}


def test_the_pictures_edge_is_no_border_of_a_zone() -> None:
    """Whose feet are below the picture stands at its edge, and within a zone that ends there."""
    low = Zone("low", ((0.25, 0.5), (0.75, 0.5), (0.75, 1.0), (0.25, 1.0)))
    (area,) = Scene.of(Places((low,)), (360, 640)).areas
    assert area.borders == [area.sides[0], area.sides[1], area.sides[3]]
    for box in ((300, 300, 340, 360), (300, 300, 340, 380)):
        assert area.side(Ground.of(Motion.of_box(box), "bottom", (360, 640))) == 1
    assert area.side(at(300, 181)) == 0
    whole = Zone("whole", ((0, 0), (640, 0), (640, 360), (0, 360)), "pixels")
    (area,) = Scene.of(Places((whole,)), (360, 640)).areas
    assert area.borders == []
    corner = Ground.of(Motion.of_box((-40, -40, 10, -1)), "bottom", (360, 640))
    assert ((corner.x, corner.y), area.side(corner)) == ((0.5, 0.5), 1)


def test_what_is_outside_the_picture_is_refused_by_its_name() -> None:
    line = Line("gate", ((0, 0), (700, 0)), "pixels")
    with pytest.raises(ValueError, match=r"line gate: point 2, \[700, 0\], is outside"):
        Scene.of(Places((), (line,)), (360, 640))
