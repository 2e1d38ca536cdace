"""Label sets: the names and colours behind class ids."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from pipeline.client.fault import FAULTS
from pipeline.client.result import Result
from pipeline.records.record import Message
from pipeline.sinks.sink import Reader

LOOK_S = 5.0  # between two looks for a label set that is not there


@dataclass(frozen=True, slots=True)
class Label:
    """Attributes: id: class id; rgb: 0 to 255 each."""

    id: int
    name: str
    rgb: tuple[int, int, int]


Labels = Mapping[int, Label]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LabelSet(Result):
    """One label set.

    Attributes:
        name: as records name it.
        labels: by their ids.
    """

    name: str
    labels: Labels


def label_set(said: Mapping[str, Any], message: Message) -> LabelSet:
    """Of a record of topic `labels`."""
    return LabelSet(**said, name=message.headers["ce_labelset"], labels=labels_of(message))


def labels_of(message: Message) -> dict[int, Label]:
    """What a record of topic `labels` names."""
    named = [_label(**one) for one in json.loads(message.value)]
    return {label.id: label for label in named}


def _label(id: int, name: str, rgb: tuple[int, int, int]) -> Label:
    red, green, blue = rgb
    return Label(int(id), name, (int(red), int(green), int(blue)))


class LabelSets:
    """The label sets of a sink, read when one is asked for that is not known."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._known: dict[str, Labels] = {}
        self._looked_s: float | None = None

    def named(self, name: str) -> Labels:
        """Its labels; none where nobody has published it.

        Raises:
            SinkError: the sink cannot be read.
        """
        lately = self._looked_s is not None and time.monotonic() - self._looked_s < LOOK_S
        if name not in self._known and not lately:
            for record in self._reader.records(["labels"]):
                with suppress(*FAULTS):  # somebody else's record in our topic
                    self._known[record.message.key] = labels_of(record.message)
            self._looked_s = time.monotonic()
        return self._known.get(name, {})
