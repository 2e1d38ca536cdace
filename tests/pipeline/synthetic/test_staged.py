"""Depth, masks and actions of training scenes, against geometry worked out here in float64."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from pipeline.synthetic.action import ACTIONS
from pipeline.synthetic.camera import Camera
from pipeline.synthetic.cylinder import Cylinder
from pipeline.synthetic.labels import GROUND, ROAD, SKY, SPHERE
from pipeline.synthetic.motion import Moment
from pipeline.synthetic.outdoors import FAR_M
from pipeline.synthetic.parts import Block, Part, Roller
from pipeline.synthetic.renderer import render_frame
from pipeline.synthetic.setting import Staged
from pipeline.synthetic.shell import Shell
from pipeline.synthetic.solids import Box, Solid, Sphere
from pipeline.synthetic.vector import Vec3, dot, minus

OpenStaged = Callable[[int], Staged]

SIZE_HW = (64, 64)
MOMENTS = [Moment(2.0 * step / 8, step / 8) for step in range(9)]


def _direction(camera: Camera, column: int, row: int) -> Vec3:
    x = (column + 0.5 - SIZE_HW[1] / 2) / camera.focal_px
    y = (row + 0.5 - SIZE_HW[0] / 2) / camera.focal_px
    way = (camera.right[i] * x + camera.down[i] * y + camera.forward[i] for i in range(3))
    return tuple(way)  # type: ignore[return-value]


def _roots(a: float, b: float, c: float) -> list[float]:
    inside = b * b - a * c
    return [] if inside < 0 else [(-b - math.sqrt(inside)) / a, (-b + math.sqrt(inside)) / a]


def _meets(solid: Solid, eye: Vec3, way: Vec3) -> Iterator[float]:
    """All t > 0 where a ray meets a solid's surface, each surface by its own equation."""
    out = minus(eye, solid.centre)
    if isinstance(solid, Sphere):
        yield from _roots(dot(way, way), dot(way, out), dot(out, out) - solid.radius**2)
    elif isinstance(solid, Box):
        slopes, starts = ([dot(v, axis) for axis in solid.axes] for v in (way, out))
        for axis, sign in itertools.product(range(3), (-1, 1)):
            t = (sign * solid.half[axis] - starts[axis]) / slopes[axis]
            others = [k for k in range(3) if k != axis]
            if all(abs(starts[k] + t * slopes[k]) <= solid.half[k] for k in others):
                yield t
    else:
        assert isinstance(solid, Cylinder)
        a, b = way[0] ** 2 + way[1] ** 2, way[0] * out[0] + way[1] * out[1]
        for t in _roots(a, b, out[0] ** 2 + out[1] ** 2 - solid.radius**2):
            if abs(out[2] + t * way[2]) <= solid.half_height:
                yield t
        for level in (-solid.half_height, solid.half_height):
            t = (level - out[2]) / way[2]
            if math.hypot(out[0] + t * way[0], out[1] + t * way[1]) <= solid.radius:
                yield t


def _class_of(part: Part) -> int:
    if isinstance(part, Roller):
        return SPHERE
    return part.coats[0].class_id if isinstance(part, Block) else part.coat.class_id  # type: ignore[attr-defined]


def _around(staged: Staged, eye: Vec3, way: Vec3) -> tuple[float, set[int]]:
    """Depth and possible classes of what surrounds the bodies."""
    enclosure = staged.setting.enclosure
    if isinstance(enclosure, Shell):
        limits = (enclosure.half_x, enclosure.half_y)
        ts = [(math.copysign(h, w) - e) / w for h, w, e in zip(limits, way, eye, strict=False)]
        side = min(ts)
        level = ((enclosure.height if way[2] > 0 else 0.0) - eye[2]) / way[2]
        if level < side:
            return level, {2, 7} if way[2] > 0 else {1, 6}
        return side, {0, 3, 4, 5}
    t = -eye[2] / way[2]
    if not 0 < t < FAR_M:
        return FAR_M, {SKY}
    plan = staged.setting.plan  # type: ignore[attr-defined]
    from_kerb = abs(eye[0] + t * way[0] - plan.road_x) - plan.road_half_m
    if abs(from_kerb) < 1e-3:
        return t, {ROAD, GROUND}
    return t, {ROAD if from_kerb < 0 else GROUND}


@pytest.mark.parametrize("seed", range(10))
def test_depth_and_classes_are_those_of_the_first_thing_met(staged: OpenStaged, seed: int) -> None:
    """All bodies take part, in view or not: leaving some out must change nothing."""
    clip = staged(seed)
    moment = MOMENTS[3]
    camera = clip.camera(moment, SIZE_HW)
    frame = render_frame(clip.world(moment, camera), camera)
    solids = [(part.solid(moment), _class_of(part)) for part in clip.parts]
    close = 0
    pixels = list(itertools.product(range(1, 64, 5), range(2, 64, 5)))
    for row, column in pixels:
        way = _direction(camera, column, row)
        first, allowed = _around(clip, camera.position, way)
        for solid, class_id in solids:
            for t in _meets(solid, camera.position, way):
                if 0 < t < first:
                    first, allowed = t, {class_id}
        same = math.isclose(float(frame.depth_m[row, column]), first, rel_tol=2e-4)
        close += same and int(frame.classes[row, column]) in allowed
    # A ray that grazes an edge may fall on either side of it in float32.
    assert close >= len(pixels) - 1


def _distance_m(solid: Solid, point: Vec3) -> float:
    """From a solid's surface, negative inside."""
    out = minus(point, solid.centre)
    if isinstance(solid, Sphere):
        return math.sqrt(dot(out, out)) - solid.radius
    if isinstance(solid, Box):
        beyond = [abs(dot(out, a)) - h for a, h in zip(solid.axes, solid.half, strict=True)]
    else:
        assert isinstance(solid, Cylinder)
        beyond = [math.hypot(out[0], out[1]) - solid.radius, abs(out[2]) - solid.half_height]
    outside = math.hypot(*(max(b, 0.0) for b in beyond))
    return outside if outside > 0 else max(beyond)


@pytest.mark.parametrize("first", range(0, 60, 10))
def test_the_camera_stays_in_the_room_and_out_of_bodies(staged: OpenStaged, first: int) -> None:
    for seed, moment in itertools.product(range(first, first + 10), MOMENTS):
        clip = staged(seed)
        eye = clip.camera(moment, SIZE_HW).position
        assert min(_distance_m(part.solid(moment), eye) for part in clip.parts) > 0.25, seed
        enclosure = clip.setting.enclosure
        assert 0.3 < eye[2] < 4.0
        if isinstance(enclosure, Shell):
            assert abs(eye[0]) < enclosure.half_x - 0.1
            assert abs(eye[1]) < enclosure.half_y - 0.1
            assert eye[2] < enclosure.height - 0.1


@pytest.mark.parametrize("seed", range(0, 40))
def test_moving_bodies_stay_in_the_room_and_on_the_floor(staged: OpenStaged, seed: int) -> None:
    clip = staged(2 * seed)
    enclosure = clip.setting.enclosure
    assert isinstance(enclosure, Shell)
    for moment, part in itertools.product(MOMENTS, clip.parts):
        x, y, z = part.solid(moment).centre
        assert abs(x) < enclosure.half_x
        assert abs(y) < enclosure.half_y
        assert 0.0 < z < enclosure.height


def _clips(staged: OpenStaged, name: str) -> list[Staged]:
    return [clip for clip in map(staged, range(70)) if clip.action_name == name]


def _seen(clip: Staged, moment: Moment) -> tuple[float, float]:
    """Where the leading body's centre is: columns right of the middle (shares), and depth."""
    camera = clip.camera(moment, SIZE_HW)
    to = minus(clip.parts[0].solid(moment).centre, camera.position)
    depth = dot(to, camera.forward)
    return dot(to, camera.right) / depth * camera.focal_px / SIZE_HW[1], depth


@pytest.mark.parametrize("name", ACTIONS)
def test_every_action_shows_what_its_name_says(staged: OpenStaged, name: str) -> None:
    clips = _clips(staged, name)
    assert len(clips) >= 3
    for clip in clips:
        columns, depths = zip(*(_seen(clip, moment) for moment in MOMENTS), strict=True)
        eyes = [clip.camera(moment, SIZE_HW).position for moment in MOMENTS]
        way_m = sum(math.dist(a, b) for a, b in itertools.pairwise(eyes))
        if name == "approach":
            assert depths[0] > 1.5 * depths[-1]
        elif name == "recede":
            assert depths[-1] > 1.5 * depths[0]
        elif name.startswith("pass"):
            sign = -1.0 if name == "pass-left" else 1.0
            assert all(sign * (b - a) > 0 for a, b in itertools.pairwise(columns))
            assert abs(columns[-1] - columns[0]) > 0.5
        elif name == "orbit":
            assert way_m > 1.0 * depths[0]
            assert max(depths) < 1.3 * min(depths)
        elif name == "still":
            assert max(columns) - min(columns) < 0.03
        if name in ("still", "collide", "pass-left", "pass-right"):
            assert way_m < 0.2


def test_a_colliding_body_turns_back_at_each_end(staged: OpenStaged) -> None:
    for clip in _clips(staged, "collide"):
        crash = clip.move.crash
        assert crash is not None
        moments = [Moment(step / 100, 0.0) for step in range(200)]
        offsets = [minus(clip.parts[0].solid(m).centre, clip.move.shot.target) for m in moments]
        along = np.array([dot(offset, clip.move.course) for offset in offsets])
        assert math.isclose(np.ptp(along), 2.0 * crash.half_m, rel_tol=0.05)
        turns = np.count_nonzero(np.diff(np.sign(np.diff(along))))
        assert turns >= math.floor(2 * 2.0 / crash.period_s) - 1
        assert turns >= 1
