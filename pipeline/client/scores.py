"""Labels by score, of whole pictures and of windows of frames."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.client.result import Result
from pipeline.records.record import Message


@dataclass(frozen=True, slots=True)
class Score:
    """A label and how much speaks for it, 0 to 1."""

    id: int
    name: str
    score: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Classification(Result):
    """What a whole picture shows: labels, highest score first, maybe none."""

    labels: tuple[Score, ...]


def classification(said: Mapping[str, Any], message: Message) -> Classification:
    """Of a record of topic `classify`."""
    return Classification(**said, labels=scores(json.loads(message.value)["labels"]))


def scores(data: Sequence[Mapping[str, Any]]) -> tuple[Score, ...]:
    """Of a list of labels in a value."""
    return tuple(Score(int(one["id"]), one["name"], float(one["score"])) for one in data)
