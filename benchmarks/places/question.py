"""What is asked of a yard, and the form of all answers, true ones and told ones alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from benchmarks.places.spell import Score, Spell, score
from operators.frames import FrameInfo
from operators.places.places import Places
from operators.zones.watched import Thresholds
from pipeline.synthetic.uri import SceneSpec

Answer = Mapping[tuple[str, str, str | None], Sequence[Spell]]
"""Kind, name of the zone or line, label (None: all of them together) -> spells."""


@dataclass(frozen=True, slots=True)
class Question:
    """Zones and lines, the labels of bodies that count, and when they count as being in a zone."""

    places: Places
    labels: tuple[str, ...]
    thresholds: Thresholds

    @property
    def settings(self) -> dict[str, Any]:
        """Of the operator `zones`."""
        return {"classes": list(self.labels), **asdict(self.thresholds)}


def info_of(spec: SceneSpec, index: int) -> FrameInfo:
    """Return what a job would say of a frame of a scene."""
    width, height = spec.size_wh
    time_us = index * 1_000_000 // spec.fps
    return replace(
        FrameInfo.of_picture((height, width)), position=str(index), event_time_us=time_us
    )


def seconds(time: str) -> float:
    """Return when a record's time is, in a scene."""
    return datetime.fromisoformat(time).timestamp()


def scored(kind: str, true: Answer, told: Answer, sure_s: float = 0.0) -> Score:
    """Return how well what is told of a kind matches what is true; `sure_s` as of `spell.score`."""
    keys = {key for key in (*true, *told) if key[0] == kind}
    return sum((score(true.get(key, ()), told.get(key, ()), sure_s) for key in keys), Score())
