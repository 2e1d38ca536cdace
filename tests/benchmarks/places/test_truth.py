"""Truth about places, held to a scene whose bodies are where somebody put them."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.places.truth import seen_of, within
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
    seen = seen_of(crossing, {}, ("sphere", "box"))
    assert seen.times_s[:3] == [0.0, 0.1, 0.2]
    left = seen.stands(LEFT, "sphere")
    assert left[:20].all()
    assert not left[20:].any()
    assert (seen.stands(RIGHT, "sphere") == ~left).all()
    assert seen.stands(RIGHT, "box").all()
    assert not seen.stands(LEFT, "box").any()


def test_stays_are_of_each_body_by_itself(crossing: Put):
    seen = seen_of(crossing, {}, ("sphere", "box"))
    assert {number: stay.sum() for number, stay in seen.stays(LEFT, "sphere").items()} == {1: 20}
    assert seen.stays(RIGHT, "box").keys() == {2}
    assert seen.stays(LEFT, "box") == {}


def test_shares_are_the_pixels_of_a_label_in_a_zone(crossing: Put):
    share = seen_of(crossing, {"left": LEFT, "right": RIGHT}, ("sphere", "box")).share
    frame = crossing.instances(3)
    assert share["left", "sphere"][3] == pytest.approx((frame.mask[:, :80] == 1).mean())
    assert share["right", "box"][3] == pytest.approx((frame.mask[:, 80:] == 2).mean())
    assert (share["left", "sphere"] + share["right", "sphere"] > 0.0).all()


def test_a_foot_that_passes_between_the_ends_of_a_line_crosses_it_once(crossing: Put):
    seen = seen_of(crossing, {}, ("sphere", "box"))
    y = seen.feet[0][1].point[1]
    (one,) = seen.crossings(((0.5, y - 0.2), (0.5, y + 0.2)))
    assert (one.id, one.label) == (1, "sphere")
    assert one.time_s == pytest.approx(2.0, abs=0.1)
    assert not one.inward  # looking down the line, it comes from the right hand
    (back,) = seen.crossings(((0.5, y + 0.2), (0.5, y - 0.2)))
    assert back.inward
    assert seen.crossings(((0.5, y + 0.2), (0.5, y + 0.3))) == []


def test_labels_that_do_not_count_are_not_there(crossing: Put):
    seen = seen_of(crossing, {"right": RIGHT}, ("sphere",))
    assert {number for here in seen.feet for number in here} == {1}
    assert seen.share.keys() == {("right", "sphere")}
