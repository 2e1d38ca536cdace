"""The countable bodies of a frame: traced ids, and where bodies stand -> boxes and distances.

An id belongs to one body for the whole clip, in view or not. Boxes are of what is seen of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .labels import PEOPLED
from .vector import Vec3


@dataclass(frozen=True, slots=True)
class Standing:
    """What a body is, and the middle of its underside in the world, metres."""

    class_id: int
    foot_m: Vec3


@dataclass(frozen=True, slots=True)
class Instance:
    """A body of which at least one pixel's centre is seen.

    Attributes:
        id: 1 and above, its own for the whole clip.
        label: a name of `labels.PEOPLED`.
        box: left, top, right, bottom around its pixels; right and bottom are just outside.
        visible_pixels: how many those are.
        foot_m: the middle of its underside, seen or not, in the world.
        distance_m: z-depth of the nearest of its pixels.
    """

    id: int
    label: str
    box: tuple[int, int, int, int]
    visible_pixels: int
    foot_m: Vec3
    distance_m: float


@dataclass(frozen=True, slots=True)
class Instances:
    """The bodies in a frame: `mask` uint16 [H, W], 0 where there is none, and `seen` by id."""

    mask: NDArray[np.uint16]
    seen: tuple[Instance, ...]


def instances_of(
    mask: NDArray[np.uint16], depth_m: NDArray[np.float32], standing: Mapping[int, Standing]
) -> Instances:
    """Return what a mask shows.

    Args:
        mask: uint16 [H, W], ids of `standing` or 0.
        depth_m: float32 [H, W], of the same rays.
        standing: by id, at that moment.
    """
    row, column = np.nonzero(mask)
    found = mask[row, column]
    order = np.argsort(found, kind="stable")
    row, column = row[order], column[order]
    numbers, starts, counts = np.unique(found[order], return_index=True, return_counts=True)
    if not numbers.size:
        return Instances(mask, ())
    least, most = np.minimum.reduceat, np.maximum.reduceat
    rows = least(row, starts), most(row, starts) + 1
    columns = least(column, starts), most(column, starts) + 1
    boxes = np.stack((columns[0], rows[0], columns[1], rows[1]), axis=1).tolist()
    nearest = least(depth_m[row, column], starts).tolist()
    seen = (
        Instance(
            number,
            PEOPLED.labels[standing[number].class_id].name,
            tuple(box),
            pixels,
            standing[number].foot_m,
            distance_m,
        )
        for number, box, pixels, distance_m in zip(
            numbers.tolist(), boxes, counts.tolist(), nearest, strict=True
        )
    )
    return Instances(mask, tuple(seen))
