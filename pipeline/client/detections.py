"""What records of detection hold."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from operators.detect.run_lengths import mask_of
from pipeline.client.result import Result
from pipeline.records.record import Message


@dataclass(frozen=True, slots=True)
class Thing:
    """A thing that was found.

    Attributes:
        box: left, top, right, bottom, pixels of the source; right and bottom lie just outside.
        id: of its label, in the label set.
        name: of its label.
        score: 0 to 1.
        mask: bool `[h, w]`, cells that cover the picture, where masks were asked for.
    """

    box: tuple[float, float, float, float]
    id: int
    name: str
    score: float
    mask: NDArray[np.bool_] | None = field(default=None, compare=False)  # arrays are not just equal


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Detections(Result):
    """The things of one frame, the surest first; maybe none.

    Attributes:
        label_set: name of the label set.
    """

    label_set: str
    objects: tuple[Thing, ...]


def detections(said: Mapping[str, Any], message: Message) -> Detections:
    """Of a record of topic `detections`."""
    objects = tuple(map(_thing, json.loads(message.value)["objects"]))
    return Detections(**said, label_set=message.headers["ce_labelset"], objects=objects)


def _thing(data: Mapping[str, Any]) -> Thing:
    left, top, right, bottom = map(float, data["box"])
    said = data.get("mask")
    mask = mask_of(said["size"], said["counts"]) if said else None
    box = (left, top, right, bottom)
    return Thing(box, int(data["id"]), data["name"], float(data["score"]), mask)
