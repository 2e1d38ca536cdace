"""What records of segmentation hold."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.client.labels import Labels
from pipeline.client.result import Result
from pipeline.records.payloads import class_ids
from pipeline.records.record import Message


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Segmentation(Result):
    """The class of each cell.

    Attributes:
        ids: uint8 `[h, w]`, class ids.
        label_set: name of the label set.
        labels: its labels by class id; none where nobody has published it.
    """

    ids: NDArray[np.uint8] = field(repr=False)
    label_set: str
    labels: Labels = field(repr=False)

    def mask(self, name: str) -> NDArray[np.bool_]:
        """Where a class is, bool `[h, w]`.

        Raises:
            ValueError: the label set has none of that name.
        """
        ids = [label.id for label in self.labels.values() if label.name == name]
        if not ids:
            known = ", ".join(sorted(label.name for label in self.labels.values()))
            raise ValueError(
                f"label set {self.label_set} has no {name!r}; known: {known or 'none'}"
            )
        return np.isin(self.ids, ids)

    def colours(self) -> NDArray[np.uint8]:
        """The labels' colours, uint8 `[h, w, 3]`; black where a class has none."""
        palette = np.zeros((256, 3), np.uint8)
        for label in self.labels.values():
            if 0 <= label.id < len(palette):
                palette[label.id] = label.rgb
        return palette[self.ids]


@dataclass(frozen=True, slots=True)
class Component:
    """A connected part of a class: a region of the picture, not a detected thing.

    Attributes:
        box: left, top, right, bottom, pixels of the source; right and bottom lie just outside.
        share: of the picture.
    """

    box: tuple[int, int, int, int]
    share: float


@dataclass(frozen=True, slots=True)
class ClassShare:
    """A class in a picture.

    Attributes:
        share: of the picture.
        components: its largest connected parts.
    """

    id: int
    name: str
    share: float
    components: tuple[Component, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SegmentationSummary(Result):
    """Classes of a whole picture, the most frequent first.

    Attributes:
        label_set: name of the label set.
    """

    label_set: str
    classes: tuple[ClassShare, ...]


def segmentation(said: Mapping[str, Any], message: Message) -> Segmentation:
    """Of a record of topic `segmentation`; `said` has its labels, too."""
    ids = class_ids(message)
    if ids.ndim != 2:
        raise ValueError(
            f"a picture of shape {ids.shape}, not [h, w]: class ids are palette indices"
        )
    return Segmentation(**said, ids=ids, label_set=message.headers["ce_labelset"])


def segmentation_summary(said: Mapping[str, Any], message: Message) -> SegmentationSummary:
    """Of a record of topic `segmentation.summary`."""
    classes = tuple(map(_class_share, json.loads(message.value)["classes"]))
    return SegmentationSummary(**said, label_set=message.headers["ce_labelset"], classes=classes)


def _class_share(data: Mapping[str, Any]) -> ClassShare:
    components = tuple(map(_component, data["regions"]))
    return ClassShare(int(data["id"]), data["name"], float(data["share"]), components)


def _component(data: Mapping[str, Any]) -> Component:
    left, top, right, bottom = data["box"]
    return Component((int(left), int(top), int(right), int(bottom)), float(data["share"]))
