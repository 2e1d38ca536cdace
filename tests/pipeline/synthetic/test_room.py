"""Depth, masks and actions of rendered rooms, held against geometry worked out here in float64."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.synthetic.labels import (
    BOX,
    CEILING,
    DOOR,
    FLOOR,
    LAMP,
    PICTURE,
    RUG,
    SPHERE,
    WALL,
    WINDOW,
)
from pipeline.synthetic.motion import Moment
from pipeline.synthetic.renderer import SceneFrame, render_frame
from pipeline.synthetic.room import Room
from pipeline.synthetic.scene import Scene
from pipeline.synthetic.solids import Box, Sphere

OpenRoom = Callable[[int], Room]
OpenScene = Callable[[int], Scene]
Doubles = NDArray[np.float64]

SIZE_HW = (90, 160)
# One of each action, and between them all classes.
SEEDS = {"orbit": 15, "recede": 1, "approach": 3, "pass-right": 7, "pass-left": 13}
MOMENTS = [Moment(0.0, 0.0), Moment(1.7, 0.5), Moment(3.0, 1.0)]


def _directions(room: Room, moment: Moment) -> Doubles:
    """The rays through pixel centres, [H, W, 3], written down afresh from the pinhole model."""
    camera = room.camera(moment, SIZE_HW)
    height, width = SIZE_HW
    column, row = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    x = (column - width / 2) / camera.focal_px
    y = (row - height / 2) / camera.focal_px
    axes = np.array([camera.right, camera.down, camera.forward])
    return np.stack([x, y, np.ones_like(x)], axis=-1) @ axes


def _sphere_depth(sphere: Sphere, eye: Doubles, way: Doubles) -> Doubles:
    """The nearer root of |eye + t way - centre|^2 = r^2, inf without one."""
    offset = eye - np.array(sphere.centre)
    a, b = (way**2).sum(-1), (way * offset).sum(-1)
    inside = b**2 - a * (offset @ offset - sphere.radius**2)
    return np.where(inside < 0, np.inf, (-b - np.sqrt(np.maximum(inside, 0))) / a)


def _box_depth(box: Box, eye: Doubles, way: Doubles) -> Doubles:
    """The least t at which a face plane is met inside that face, inf without one."""
    turn = np.array(box.axes)
    start, slope = turn @ (eye - np.array(box.centre)), way @ turn.T
    best = np.full(way.shape[:2], np.inf)
    for axis in range(3):
        others = [k for k in range(3) if k != axis]
        for side in (-1, 1):
            with np.errstate(divide="ignore"):
                t = (side * box.half[axis] - start[axis]) / slope[..., axis]
            with np.errstate(invalid="ignore"):
                there = start + t[..., None] * slope
            inside = np.all(np.abs(there[..., others]) <= np.array(box.half)[others], axis=-1)
            best = np.where(inside & (t > 0) & (t < best), t, best)
    return best


def _shell_depth(room: Room, moment: Moment, eye: Doubles, way: Doubles) -> Doubles:
    """The least positive t at which one of the six planes is met, from inside."""
    shell = room.world(moment, room.camera(moment, SIZE_HW)).shell
    planes = (
        (0, -shell.half_x), (0, shell.half_x), (1, -shell.half_y), (1, shell.half_y),
        (2, 0.0), (2, shell.height),
    )  # fmt: skip
    with np.errstate(divide="ignore"):
        met = np.stack([(at - eye[axis]) / way[..., axis] for axis, at in planes])
    return np.where(met > 0, met, np.inf).min(axis=0)


@cache
def _rendered(room: Room, moment: Moment) -> SceneFrame:
    camera = room.camera(moment, SIZE_HW)
    return render_frame(room.world(moment, camera), camera)


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS.values(), ids=SEEDS.keys())
@pytest.mark.parametrize("moment", MOMENTS, ids=["start", "middle", "end"])
def test_depth_and_bodies_are_those_of_the_geometry(
    room: OpenRoom, seed: int, moment: Moment
) -> None:
    frame = _rendered(room(seed), moment)
    way = _directions(room(seed), moment)
    eye = np.array(room(seed).camera(moment, SIZE_HW).position)
    layers = {WALL: [_shell_depth(room(seed), moment, eye, way)], SPHERE: [], BOX: []}
    for body in room(seed).world(moment, room(seed).camera(moment, SIZE_HW)).bodies:
        if isinstance(body.solid, Sphere):
            layers[SPHERE].append(_sphere_depth(body.solid, eye, way))
        elif isinstance(body.solid, Box):
            layers[BOX].append(_box_depth(body.solid, eye, way))
    nearest = {name: np.min(depths, axis=0) for name, depths in layers.items() if depths}
    expected = np.minimum.reduce(list(nearest.values()))
    # A ray that grazes a silhouette within float32's reach may go either way.
    off = np.abs(frame.depth_m - expected) > 1e-5 * expected
    assert off.sum() <= 3
    for name in (SPHERE, BOX):
        if name in nearest:
            assert (((frame.classes == name) == (nearest[name] == expected)) | off).all()


@pytest.mark.parametrize("seed", SEEDS.values(), ids=SEEDS.keys())
def test_floor_ceiling_and_wall_pixels_lie_on_their_planes(room: OpenRoom, seed: int) -> None:
    seen = set()
    for moment in MOMENTS:
        frame = _rendered(room(seed), moment)
        eye = np.array(room(seed).camera(moment, SIZE_HW).position)
        points = eye + frame.depth_m[..., None].astype(np.float64) * _directions(room(seed), moment)
        shell = room(seed).world(moment, room(seed).camera(moment, SIZE_HW)).shell
        x, y, z = np.abs(np.moveaxis(points, -1, 0))
        off_wall = np.minimum(np.abs(x - shell.half_x), np.abs(y - shell.half_y))
        for classes, distance in (
            ((FLOOR, RUG), z),
            ((CEILING, LAMP), np.abs(z - shell.height)),
            ((WALL, WINDOW, DOOR, PICTURE), off_wall),
        ):
            mine = np.isin(frame.classes, classes)
            assert distance[mine].max(initial=0.0) < 1e-5
        seen |= set(np.unique(frame.classes))
    assert {WALL, FLOOR, RUG, SPHERE} <= seen


def test_the_depth_of_a_ball_at_the_optical_axis_is_its_distance_less_its_radius(
    room: OpenRoom,
) -> None:
    """Aimed at by hand, so the answer needs no intersection formula at all."""
    moment = MOMENTS[1]
    world = room(15).world(moment, room(15).camera(moment, SIZE_HW))
    ball = next(b.solid for b in world.bodies if isinstance(b.solid, Sphere))
    eye = (ball.centre[0], ball.centre[1] - 1.0, ball.centre[2] + 0.4)
    camera = type(room(15).camera(moment, SIZE_HW)).look_at(eye, ball.centre, (91, 161))
    depth = render_frame(world, camera).depth_m[45, 80]
    assert depth == pytest.approx(math.dist(eye, ball.centre) - ball.radius, abs=2e-6)


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS.values(), ids=SEEDS.keys())
def test_where_depth_jumps_a_body_ends(scene: OpenScene, seed: int) -> None:
    """The empty room is convex: only boxes and spheres can make neighbouring depths jump."""
    frame = scene(seed).render(12)
    body = np.isin(frame.classes, (BOX, SPHERE))
    for near, far, a, b in (
        (frame.depth_m[:, 1:], frame.depth_m[:, :-1], body[:, 1:], body[:, :-1]),
        (frame.depth_m[1:], frame.depth_m[:-1], body[1:], body[:-1]),
    ):
        jumps = np.maximum(near / far, far / near) > 1.25
        assert jumps.any()
        assert (a | b)[jumps].all()


def _bodies(scene: Scene) -> tuple[Doubles, Doubles]:
    """Over the clip: the nearest body's depth, and its middle column (0..1)."""
    rows = []
    for index in range(0, scene.frame_count, 4):
        frame = scene.render(index)
        body = np.where(np.isin(frame.classes, (BOX, SPHERE)), frame.depth_m, np.inf)
        nearest = body < body.min() + 0.25
        rows.append((body.min(), np.nonzero(nearest)[1].mean() / 160))
    depth, column = np.array(rows, np.float64).T
    return depth, column


@pytest.mark.slow
@pytest.mark.parametrize("seed", [3, 4, 8])
def test_approach_brings_the_nearest_body_nearer(scene: OpenScene, seed: int) -> None:
    assert scene(seed).action == "approach"
    depth, _ = _bodies(scene(seed))
    assert (np.diff(depth) < 0).all()
    assert depth[0] > 1.6 * depth[-1]


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 10])
def test_recede_takes_the_nearest_body_away(scene: OpenScene, seed: int) -> None:
    assert scene(seed).action == "recede"
    depth, _ = _bodies(scene(seed))
    assert (np.diff(depth) > 0).all()
    assert depth[-1] > 1.6 * depth[0]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("seed", "name", "sign"),
    [(13, "pass-left", -1), (17, "pass-left", -1), (5, "pass-right", 1), (7, "pass-right", 1)],
)
def test_pass_moves_the_nearest_body_across(
    scene: OpenScene, seed: int, name: str, sign: int
) -> None:
    assert scene(seed).action == name
    _, column = _bodies(scene(seed))
    assert (np.diff(column) * sign > 0).all()
    assert abs(column[-1] - column[0]) > 0.7


@pytest.mark.slow
@pytest.mark.parametrize("seed", [15, 20])
def test_orbit_keeps_the_leading_body_and_turns_the_room(
    scene: OpenScene, room: OpenRoom, seed: int
) -> None:
    assert scene(seed).action == "orbit"
    depth, column = _bodies(scene(seed))
    assert np.ptp(depth) < 0.1
    assert np.ptp(column) < 0.05
    first, last = (room(seed).camera(Moment(0.0, share), SIZE_HW) for share in (0.0, 1.0))
    headings = [math.atan2(camera.forward[1], camera.forward[0]) for camera in (first, last)]
    assert abs(headings[1] - headings[0]) > 1.5


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(6))
def test_bodies_stay_inside_the_room_and_out_of_the_cameras_way(room: OpenRoom, seed: int) -> None:
    for step in range(21):
        moment = Moment(step / 3, step / 20)
        eye = room(seed).camera(moment, SIZE_HW).position
        world = room(seed).world(moment, room(seed).camera(moment, SIZE_HW))
        for body in world.bodies:
            x, y, z = body.solid.centre
            assert abs(x) < world.shell.half_x
            assert abs(y) < world.shell.half_y
            assert 0.0 < z < world.shell.height
            assert math.dist(eye, body.solid.centre) > body.solid.reach + 0.3
