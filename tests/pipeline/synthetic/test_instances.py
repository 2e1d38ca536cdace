"""Countable bodies: whose pixels are whose, from the same rays as depth and classes."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import pytest

from pipeline.synthetic.camera import Camera
from pipeline.synthetic.dice import Dice
from pipeline.synthetic.instances import Instance, Instances, instances_of
from pipeline.synthetic.labels import BUILDING, COUNTED, PEOPLED
from pipeline.synthetic.motion import Moment, Motion
from pipeline.synthetic.parts import Thing
from pipeline.synthetic.renderer import render_frame, trace_instances
from pipeline.synthetic.scene import Scene, open_scene
from pipeline.synthetic.setting import Staged, standing_of, world_of
from pipeline.synthetic.things import ball, box, car, house, tree
from pipeline.synthetic.uri import SceneSpec

SIZE_HW = (90, 160)
HERE = Camera.look_at((0.0, -8.0, 2.0), (0.0, 0.0, 0.5), SIZE_HW)
NOW = Moment(0.0, 0.0)
NAMES = {PEOPLED.labels[class_id].name for class_id in COUNTED}


def _clip(scene: str, seed: int) -> Scene:
    return open_scene(SceneSpec(scene, seed=seed, seconds=2.0, fps=4, size_wh=(160, 90)))


def _seen(staged: Callable[[int], Staged], things: Sequence[Thing], at: Moment) -> Instances:
    """What a standing camera sees of things in some street."""
    numbered = dict(enumerate(things, start=1))
    world = world_of(staged(1).setting, numbered, at, HERE)
    return instances_of(*trace_instances(world, HERE), standing_of(numbered, at))


def _only(seen: Instances, number: int) -> Instance:
    (found,) = [one for one in seen.seen if one.id == number]
    return found


@pytest.mark.parametrize(("scene", "seed"), [("room", 5), ("world", 2), ("world", 3)])
def test_the_mask_is_of_the_rays_of_depth_and_classes(scene: str, seed: int) -> None:
    """Every pixel of a countable class is somebody's, and no other is."""
    clip = _clip(scene, seed)
    frame, found = clip.render(3), clip.instances(3)

    assert (found.mask.shape, found.mask.dtype) == (SIZE_HW, np.uint16)
    assert np.array_equal(found.mask > 0, np.isin(frame.classes, list(COUNTED)))
    assert len(found.seen) > 1
    for one in found.seen:
        here = found.mask == one.id
        assert {PEOPLED.labels[id_].name for id_ in np.unique(frame.classes[here])} == {one.label}
        assert one.distance_m == frame.depth_m[here].min()


@pytest.mark.parametrize(("scene", "seed"), [("room", 1), ("street", 3), ("world", 4)])
def test_a_box_is_the_extent_of_its_mask(scene: str, seed: int) -> None:
    found = _clip(scene, seed).instances(0)
    assert [one.id for one in found.seen] == sorted(set(np.unique(found.mask).tolist()) - {0})
    for one in found.seen:
        rows, columns = np.nonzero(found.mask == one.id)
        assert one.box == (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
        assert one.visible_pixels == rows.size
        assert one.label in NAMES


@pytest.mark.parametrize("scene", ["room", "street"])
def test_an_id_is_the_same_body_in_all_frames(scene: str) -> None:
    clip = _clip(scene, 3)
    labels: dict[int, str] = {}
    for index in range(clip.frame_count):
        for one in clip.instances(index).seen:
            assert labels.setdefault(one.id, one.label) == one.label
    assert len(labels) > 3


def test_a_body_of_several_parts_is_one_and_a_house_is_none(
    staged: Callable[[int], Staged],
) -> None:
    dice = Dice(1, 99)
    things = (
        house(Motion((0.0, 20.0, 0.0)), (8.0, 2.0, 4.0), dice),
        car(Motion((-1.5, 0.0, 0.0)), 1.2, dice, 0.3),
        tree(Motion((2.0, 0.0, 0.0)), 0.6, dice),
    )
    found = _seen(staged, things, NOW)
    frame = render_frame(
        world_of(staged(1).setting, dict(enumerate(things)), NOW, HERE), HERE
    ).classes
    assert [(one.id, one.label) for one in found.seen] == [(2, "vehicle"), (3, "tree")]
    assert (found.mask[frame == BUILDING] == 0).all()


def test_what_is_hidden_is_not_seen_and_what_is_half_hidden_has_the_box_of_the_rest(
    staged: Callable[[int], Staged],
) -> None:
    dice = Dice(1, 99)
    far = box(Motion((0.0, 2.0, 0.0)), (0.5, 0.5, 0.5), dice, 0.0)
    whole = _only(_seen(staged, [far], NOW), 1)
    beside = box(Motion((0.5, -1.0, 0.0)), (0.5, 0.2, 1.0), dice, 0.0)
    before = box(Motion((0.0, -1.0, 0.0)), (1.5, 0.2, 1.5), dice, 0.0)

    half = _only(_seen(staged, [far, beside], NOW), 1)
    assert (half.box[0], half.box[1]) == (whole.box[0], whole.box[1])
    assert half.box[2] < whole.box[2] - 5
    assert half.visible_pixels < 0.7 * whole.visible_pixels
    assert half.foot_m == whole.foot_m
    assert [one.id for one in _seen(staged, [far, before], NOW).seen] == [2]


def test_a_body_that_left_and_came_back_has_the_id_it_had(
    staged: Callable[[int], Staged],
) -> None:
    dice = Dice(1, 99)
    away = ball(Motion((0.0, 0.0, 0.0), sway_m=12.0, period_s=4.0), 0.5, dice)
    things = (away, box(Motion((0.0, 3.0, 0.0)), (0.4, 0.4, 0.4), dice, 0.0))
    ids = [
        [one.id for one in _seen(staged, things, Moment(time_s, 0.0)).seen]
        for time_s in (0.2, 1.0, 1.8, 3.0, 4.2)
    ]
    assert ids == [[1, 2], [2], [1, 2], [2], [1, 2]]


def test_an_empty_picture_has_no_instances(staged: Callable[[int], Staged]) -> None:
    found = _seen(staged, (), NOW)
    assert found.seen == ()
    assert not found.mask.any()


def test_pixels_lie_on_the_body_that_stands_on_its_foot_to_a_centimetre(
    staged: Callable[[int], Staged],
) -> None:
    dice, radius = Dice(1, 99), 0.7
    way = Motion((1.0, 2.0, 0.0), (0.6, 0.8, 0.0), travel_m=3.0, hop_m=0.9, period_s=2.0)
    things = {7: ball(way, radius, dice)}
    at = Moment(0.5, 0.4)
    mask, depth_m = trace_instances(world_of(staged(1).setting, things, at, HERE), HERE)
    (one,) = instances_of(mask, depth_m, standing_of(things, at)).seen

    assert one.foot_m == way.position(at)
    assert one.foot_m[2] > 0.5
    rows, columns = np.nonzero(mask)
    scale = depth_m[rows, columns] / HERE.focal_px
    right = (columns + 0.5 - SIZE_HW[1] / 2) * scale
    down = (rows + 0.5 - SIZE_HW[0] / 2) * scale
    middle = np.add(one.foot_m, (0.0, 0.0, radius))
    off = np.array(HERE.position) - middle
    points = np.outer(right, HERE.right) + np.outer(down, HERE.down) + off
    points += np.outer(depth_m[rows, columns], HERE.forward)
    assert np.abs(np.linalg.norm(points, axis=1) - radius).max() < 0.01


def test_a_foot_is_seen_where_its_body_meets_the_ground() -> None:
    """Of a box that stands in the open: the foot is under its middle, in the lower half."""
    clip = _clip("room", 3)
    one = _only(clip.instances(0), 1)
    column, row, depth_m = clip.camera(0).project(one.foot_m)
    left, top, right, bottom = one.box
    assert math.isclose(column, (left + right) / 2, abs_tol=0.1 * (right - left))
    assert (top + bottom) / 2 < row < bottom
    assert depth_m > one.distance_m


@pytest.mark.parametrize("index", [-1, 8])
def test_a_frame_that_is_not_there_is_an_error(index: int) -> None:
    clip = _clip("room", 5)
    with pytest.raises(IndexError, match="of a clip of 8 frames"):
        clip.instances(index)
    with pytest.raises(IndexError, match="of a clip of 8 frames"):
        clip.camera(index)
