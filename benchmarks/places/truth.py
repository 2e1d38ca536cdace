"""What really happens in the places of a rendered scene: who stands in a zone, or fills a part of
it, and who crosses a line. A scene and polygons in -> exact values per frame out.

Polygons and lines are points (x, y) in shares of the picture, x to the right and y down.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.synthetic.instances import Instance, Instances
from pipeline.synthetic.scene import Scene

Point = tuple[float, float]
Key = tuple[str, str]
"""A zone's name and a label."""


@dataclass(frozen=True, slots=True)
class Zones:
    """Who is in zones, over a clip.

    Attributes:
        times_s: of its frames.
        share: which part of a zone's pixels show a label, float [T].
        stands: whether a body of that label that is seen stands there, bool [T].
    """

    times_s: Sequence[float]
    share: Mapping[Key, NDArray[np.float64]]
    stands: Mapping[Key, NDArray[np.bool_]]


@dataclass(frozen=True, slots=True)
class Crossing:
    """A body's foot passes a line; `inward`: to the right hand of who looks along the line."""

    time_s: float
    id: int
    label: str
    inward: bool


def zones_of(scene: Scene, polygons: Mapping[str, Sequence[Point]], labels: Sequence[str]) -> Zones:
    """Return who is in which zone in every frame of a scene.

    Args:
        scene: its frame rate is as fine as truth gets.
        polygons: by name.
        labels: of bodies that count.
    """
    width, height = scene.spec.size_wh
    x, y = np.meshgrid((np.arange(width) + 0.5) / width, (np.arange(height) + 0.5) / height)
    masks = {name: within(points, x, y) for name, points in polygons.items()}
    keys = [(name, label) for name in polygons for label in labels]
    share = {key: np.zeros(scene.frame_count) for key in keys}
    stands = {key: np.zeros(scene.frame_count, np.bool_) for key in keys}
    for index in range(scene.frame_count):
        frame = scene.instances(index)
        feet = {one.id: foot(scene, index, one) for one in frame.seen}
        for name, label in keys:
            ours = [one.id for one in frame.seen if one.label == label]
            share[name, label][index] = _share(frame, ours, masks[name])
            points = polygons[name]
            stands[name, label][index] = any(within(points, *feet[one]) for one in ours)
    return Zones([index / scene.spec.fps for index in range(scene.frame_count)], share, stands)


def crossings_of(scene: Scene, line: tuple[Point, Point]) -> list[Crossing]:
    """Return every time that the foot of a body crosses a line, in order.

    Only bodies that are seen in two frames in a row can cross between them.
    """
    found = []
    before: dict[int, Point] = {}
    for index in range(scene.frame_count):
        seen = {one.id: one for one in scene.instances(index).seen}
        here = {number: foot(scene, index, one) for number, one in seen.items()}
        for number in here.keys() & before.keys():
            if _cross(line, (before[number], here[number])):
                inward = _turn(*line, here[number]) > 0
                found.append(Crossing(index / scene.spec.fps, number, seen[number].label, inward))
        before = here
    return sorted(found, key=lambda one: (one.time_s, one.id))


def totals(crossings: Sequence[Crossing]) -> dict[str, tuple[int, int]]:
    """Return how many of each label crossed inward, and outward."""
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for one in crossings:
        counts[one.label][not one.inward] += 1
    return {label: (inward, outward) for label, (inward, outward) in counts.items()}


def foot(scene: Scene, index: int, body: Instance) -> Point:
    """Return where a body stands, in shares of the picture."""
    column, row, _ = scene.camera(index).project(body.foot_m)
    width, height = scene.spec.size_wh
    return column / width, row / height


def within(points: Sequence[Point], x: Any, y: Any) -> Any:
    """Return whether positions lie in a polygon, by how many sides are to the right of them."""
    odd = np.zeros(np.shape(x), np.bool_)
    for (ax, ay), (bx, by) in itertools.pairwise([*points, points[0]]):
        if ay != by:
            odd ^= ((ay > y) != (by > y)) & (x < ax + (y - ay) * (bx - ax) / (by - ay))
    return odd


def _share(frame: Instances, ids: Sequence[int], zone: NDArray[np.bool_]) -> float:
    return float(np.isin(frame.mask[zone], ids).mean()) if ids else 0.0


def _cross(line: tuple[Point, Point], way: tuple[Point, Point]) -> bool:
    """Whether a way passes between the ends of a line; a point on the line is on its left."""
    first, last = (_turn(*line, point) > 0 for point in way)
    a, b = (_turn(*way, point) for point in line)
    return first != last and (a > 0) != (b > 0)


def _turn(start: Point, end: Point, point: Point) -> float:
    """Above 0 on the right hand of who looks from start to end, in a picture."""
    return (end[0] - start[0]) * (point[1] - start[1]) - (end[1] - start[1]) * (point[0] - start[0])
