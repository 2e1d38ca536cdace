"""How often a frame is called unchanged though a body has come, gone or moved, by its size."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from benchmarks.gate.yard import FPS, PATCH, THRESHOLDS, Yard, computed_of
from pipeline.decode.track import Sample
from pipeline.synthetic.instances import Instance

BANDS = (1, 2, 3, 4, 6, 99)  # edges of sizes, patches

Missed = dict[str, list[list[int]]]
"""Threshold -> for each band how many were called unchanged, of how many."""


def nobody() -> Missed:
    """Before the first yard."""
    return {str(level): [[0, 0] for _ in BANDS] for level in THRESHOLDS}


def count_missed(yard: Yard, frames: Sequence[Sample], seen: Missed) -> None:
    """Add a yard: of every body that is elsewhere than in the last computed frame by half a patch
    or more, or came or went, whether the frame was called unchanged."""
    indices = [round(one.info.event_time_us * FPS / 1e6) for one in frames]
    bodies = [{one.id: one for one in yard.scene.instances(index).seen} for index in indices]
    for level in THRESHOLDS:
        key = 0
        for row, computed in enumerate(computed_of(frames, level)):
            for size in _moved(bodies[key], bodies[row]):
                band = next(n for n, edge in enumerate(BANDS) if size < edge)
                seen[str(level)][band][0] += not computed
                seen[str(level)][band][1] += 1
            key = row if computed else key


def _moved(before: Mapping[int, Instance], now: Mapping[int, Instance]) -> Iterator[float]:
    """Sizes, patches, of bodies that are elsewhere: the root of the area that is seen of each."""
    for name in before.keys() | now.keys():
        both = [one[name] for one in (before, now) if name in one]
        boxes = [one.box for one in both]
        if len(both) < 2 or np.abs(np.subtract(*boxes)).max() >= PATCH / 2:
            yield max(one.visible_pixels for one in both) ** 0.5 / PATCH
