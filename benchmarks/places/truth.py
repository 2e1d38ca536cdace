"""What really happens in the places of a rendered scene: who stands in a zone, or fills a part of
it, and who crosses a line. A scene and polygons in -> exact values per frame out.

Polygons and lines are points (x, y) in shares of the picture, x to the right and y down.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.synthetic.instances import Instance
from pipeline.synthetic.scene import Scene

Point = tuple[float, float]
Way = tuple[Point, Point]
Key = tuple[str, str]
"""A zone's name and a label."""


@dataclass(frozen=True, slots=True)
class Foot:
    """Where a body that is seen stands, in shares of the picture."""

    label: str
    point: Point


@dataclass(frozen=True, slots=True)
class Seen:
    """A clip as truth sees it.

    Attributes:
        times_s: of its frames.
        share: which part of a zone's pixels show a label, float [T].
        feet: of each frame, by body.
    """

    times_s: Sequence[float]
    share: Mapping[Key, NDArray[np.float64]]
    feet: Sequence[Mapping[int, Foot]]

    def stands(self, polygon: Sequence[Point], label: str) -> NDArray[np.bool_]:
        """Return whether a body of that label stands in a polygon, bool [T]."""
        return np.array(
            [
                any(within(polygon, *one.point) for one in here.values() if one.label == label)
                for here in self.feet
            ]
        )

    def stays(self, polygon: Sequence[Point], label: str) -> dict[int, NDArray[np.bool_]]:
        """Return of each body of that label when it stands in a polygon, bool [T]."""
        found: dict[int, NDArray[np.bool_]] = {}
        for index, here in enumerate(self.feet):
            for number, one in here.items():
                if one.label == label and within(polygon, *one.point):
                    stays = found.setdefault(number, np.zeros(len(self.feet), np.bool_))
                    stays[index] = True
        return found

    def crossings(self, line: Way) -> list[Crossing]:
        """Return every time that a foot passes a line, in order."""
        found = []
        for index, (before, here) in enumerate(itertools.pairwise(self.feet), start=1):
            for number in sorted(before.keys() & here.keys()):
                way = before[number].point, here[number].point
                if _cross(line, way):
                    inward = _turn(*line, way[1]) > 0
                    label = here[number].label
                    found.append(Crossing(self.times_s[index], number, label, inward))
        return found


@dataclass(frozen=True, slots=True)
class Crossing:
    """A foot passes a line; `inward`: to the right hand of who looks from its first end on."""

    time_s: float
    id: int
    label: str
    inward: bool


def seen_of(scene: Scene, zones: Mapping[str, Sequence[Point]], labels: Sequence[str]) -> Seen:
    """Return a scene as truth sees it.

    Args:
        scene: its frame rate is as fine as truth gets.
        zones: polygons by name.
        labels: of bodies that count.
    """
    width, height = scene.spec.size_wh
    x, y = np.meshgrid((np.arange(width) + 0.5) / width, (np.arange(height) + 0.5) / height)
    masks = {name: within(points, x, y) for name, points in zones.items()}
    share = {(zone, label): np.zeros(scene.frame_count) for zone in zones for label in labels}
    feet = []
    for index in range(scene.frame_count):
        frame = scene.instances(index)
        feet.append({one.id: foot(scene, index, one) for one in frame.seen if one.label in labels})
        for zone, mask in masks.items():
            pixels = np.bincount(frame.mask[mask], minlength=int(frame.mask.max()) + 1)
            for one in frame.seen:
                if one.label in labels:
                    share[zone, one.label][index] += pixels[one.id] / pixels.sum()
    return Seen([index / scene.spec.fps for index in range(scene.frame_count)], share, feet)


def foot(scene: Scene, index: int, body: Instance) -> Foot:
    """Return where a body stands in the picture of a frame."""
    column, row, _ = scene.camera(index).project(body.foot_m)
    width, height = scene.spec.size_wh
    return Foot(body.label, (column / width, row / height))


def within(points: Sequence[Point], x: Any, y: Any) -> Any:
    """Return whether positions lie in a polygon, by how many sides are to the right of them."""
    odd = np.zeros(np.shape(x), np.bool_)
    for (ax, ay), (bx, by) in itertools.pairwise([*points, points[0]]):
        if ay != by:
            odd ^= ((ay > y) != (by > y)) & (x < ax + (y - ay) * (bx - ax) / (by - ay))
    return odd


def _cross(line: Way, way: Way) -> bool:
    """Whether a way passes between the ends of a line; a point on the line is on its left."""
    first, last = (_turn(*line, point) > 0 for point in way)
    a, b = (_turn(*way, point) for point in line)
    return first != last and (a > 0) != (b > 0)


def _turn(start: Point, end: Point, point: Point) -> float:
    """Above 0 on the right hand of who looks from start to end, in a picture."""
    return (end[0] - start[0]) * (point[1] - start[1]) - (end[1] - start[1]) * (point[0] - start[0])
