"""What a gate costs where maps are true: episodes of zones, mIoU and AbsRel, at each threshold.

The same frames are asked with a gate and without; `zones` sees a true map of every frame that is
computed and hears that the others repeat it. So what is lost is the gate's doing and no head's.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from benchmarks.gate.overlap import Overlap
from benchmarks.gate.yard import SAMPLED_FPS, THRESHOLDS, TrueMaps, Yard, computed_of
from benchmarks.places.happened import happened
from benchmarks.places.question import Question, scored
from benchmarks.places.spell import Score
from benchmarks.places.told_zones import told_of_maps
from operators.places.places import Places
from operators.places.shapes import Zone
from operators.zones.watched import Thresholds
from pipeline.decode.track import Sample

KINDS = ("stay", "occupancy")
COLUMNS, ROWS = (0.0, 0.25, 0.5, 0.75, 1.0), (0.3, 0.6, 0.92)  # of the picture
ASKED = Question(
    Places(
        tuple(
            Zone(f"z{row}{column}", ((left, top), (right, top), (right, low), (left, low)))
            for row, (top, low) in enumerate(itertools.pairwise(ROWS))
            for column, (left, right) in enumerate(itertools.pairwise(COLUMNS))
        )
    ),
    ("box", "sphere", "vehicle"),
    Thresholds(enter=0.05, leave=0.03, min_s=1.0, dwell_s=5.0),
)
SURE_S = ASKED.thresholds.min_s + 2 / SAMPLED_FPS


@dataclass(slots=True)
class _Told:
    """At one threshold, of all yards so far."""

    computed: list[bool] = field(default_factory=list)
    scores: dict[str, Score] = field(default_factory=lambda: defaultdict(Score))
    overlap: Overlap = field(default_factory=Overlap)

    def summed(self) -> dict[str, Any]:
        found: dict[str, Any] = {"computed": round(float(np.mean(self.computed)), 4)}
        for kind, score in self.scores.items():
            off_s = round(float(np.mean(score.off_s)), 3) if score.off_s else None
            found[kind] = {
                "true": score.true,
                "told": score.found,
                "precision": round(score.precision, 4),
                "recall": round(score.recall, 4),
                "ends off by, mean s": off_s,
            }
        return found | self.overlap.summed()


class Episodes:
    """Yards added one by one; 0 is the threshold of no gate."""

    def __init__(self) -> None:
        self._told = {level: _Told() for level in (0, *THRESHOLDS)}

    def add(self, yard: Yard, frames: Sequence[Sample]) -> None:
        """A yard, and the frames that are sampled of its clip."""
        happens = happened(yard.scene.spec, ASKED)["share"]
        for level, told in self._told.items():
            computed = computed_of(frames, level) if level else [True] * len(frames)
            repeated = {index for index, one in enumerate(computed) if not one}
            classes = (one.classes for one in yard.maps)
            found = told_of_maps(yard.sampled, ASKED, classes, repeated)
            for kind in KINDS:
                told.scores[kind] += scored(kind, happens, found, SURE_S)
            told.computed += computed
            for true, seen in zip(yard.maps, _held(yard.maps, computed), strict=True):
                told.overlap.add(true, seen)

    def summed(self) -> dict[str, Any]:
        """Threshold -> part of the frames that is computed, scores by kind, mIoU and AbsRel."""
        return {str(level): told.summed() for level, told in self._told.items()}


def _held(maps: Sequence[TrueMaps], computed: Sequence[bool]) -> list[TrueMaps]:
    """The maps that hold at each frame: of the last one that is computed."""
    last = np.maximum.accumulate(np.where(computed, np.arange(len(computed)), 0))
    return [maps[index] for index in last]
