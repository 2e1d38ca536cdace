"""Truth about places, held to a scene whose bodies are where somebody put them."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.places.truth import Crossing, crossings_of, foot, totals, within, zones_of
from pipeline.synthetic.camera import Camera
from pipeline.synthetic.dice import Dice
from pipeline.synthetic.instances import Instances, instances_of
from pipeline.synthetic.motion import Moment, Motion
from pipeline.synthetic.parts import Thing
from pipeline.synthetic.renderer import trace_instances
from pipeline.synthetic.setting import standing_of, world_of
from pipeline.synthetic.street import built_street
from pipeline.synthetic.things import ball, box
from pipeline.synthetic.uri import SceneSpec

SPEC = SceneSpec("street", seconds=4.0, fps=10, size_wh=(160, 90))
LEFT = ((0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0))
RIGHT = ((0.5, 0.0), (1.0, 0.0), (1.0, 1.0), (0.5, 1.0))


class Put:
    """Things before a standing camera: as much of a `Scene` as truth asks for."""

    spec = SPEC
    frame_count = SPEC.frame_count

    def __init__(self, *things: Thing) -> None:
        self._setting = built_street(1, SPEC.seconds).setting
        self._things = dict(enumerate(things, start=1))

    def camera(self, index: int) -> Camera:
        width, height = self.spec.size_wh
        return Camera.look_at((0.0, -8.0, 4.0), (0.0, 0.0, 0.5), (height, width))

    def instances(self, index: int) -> Instances:
        moment = Moment(index / self.spec.fps, index / (self.frame_count - 1))
        camera = self.camera(index)
        world = world_of(self._setting, self._things, moment, camera)
        return instances_of(*trace_instances(world, camera), standing_of(self._things, moment))


@pytest.fixture
def crossing() -> Put:
    """A ball that goes from left to right through the middle; a box stands on the right."""
    dice = Dice(1, 99)
    way = Motion((-3.0, 0.0, 0.0), (1.0, 0.0, 0.0), travel_m=6.0)
    return Put(ball(way, 0.6, dice), box(Motion((3.0, 1.0, 0.0)), (0.5, 0.5, 0.5), dice, 0.0))


def test_a_point_is_within_a_polygon_or_not():
    hollow = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.5, 0.2), (0.0, 1.0))
    x, y = np.array([0.5, 0.5, 0.1, 0.9, 1.1]), np.array([0.1, 0.5, 0.5, 0.5, 0.5])
    assert within(hollow, x, y).tolist() == [True, False, True, True, False]


def test_who_stands_in_a_zone_is_known_in_every_frame(crossing: Put):
    seen = zones_of(crossing, {"left": LEFT, "right": RIGHT}, ("sphere", "box"))
    assert seen.times_s[:3] == [0.0, 0.1, 0.2]
    left = seen.stands["left", "sphere"]
    assert left[:20].all()
    assert not left[20:].any()
    assert (seen.stands["right", "sphere"] == ~left).all()
    assert seen.stands["right", "box"].all()
    assert not seen.stands["left", "box"].any()


def test_shares_are_the_pixels_of_a_label_in_a_zone(crossing: Put):
    seen = zones_of(crossing, {"left": LEFT, "right": RIGHT}, ("sphere", "box"))
    frame = crossing.instances(3)
    assert seen.share["left", "sphere"][3] == (frame.mask[:, :80] == 1).mean()
    assert seen.share["right", "box"][3] == (frame.mask[:, 80:] == 2).mean()
    halves = seen.share["left", "sphere"] + seen.share["right", "sphere"]
    assert (halves > 0.0).all()


def test_a_foot_that_passes_between_the_ends_of_a_line_crosses_it_once(crossing: Put):
    ball = crossing.instances(0).seen[0]
    row = foot(crossing, 0, ball)[1]
    (one,) = crossings_of(crossing, ((0.5, row - 0.2), (0.5, row + 0.2)))
    assert (one.id, one.label) == (1, "sphere")
    assert one.time_s == pytest.approx(2.0, abs=0.1)
    assert not one.inward  # looking down the line, it comes from the right hand
    (back,) = crossings_of(crossing, ((0.5, row + 0.2), (0.5, row - 0.2)))
    assert back.inward
    assert crossings_of(crossing, ((0.5, row + 0.2), (0.5, row + 0.3))) == []


def test_crossings_are_counted_by_label_and_direction():
    told = [
        Crossing(1.0, 1, "box", True),
        Crossing(2.0, 1, "box", False),
        Crossing(3.0, 2, "box", True),
        Crossing(4.0, 3, "sphere", False),
    ]
    assert totals(told) == {"box": (2, 1), "sphere": (0, 1)}
