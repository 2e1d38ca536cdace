"""Label sets: what a class id means and which colour it is shown in.

ADE20K (150 classes) and VOC 2012 (21) by name, or a user's own. Must not know heads or records.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from importlib.resources import files
from typing import Any

from operators.errors import UsageError

OFFICIAL = {"ade20k": 150, "voc2012": 21}  # name -> classes


@dataclass(frozen=True, slots=True)
class Label:
    """One class: its id, its name, its colour (red, green, blue)."""

    id: int
    name: str
    rgb: tuple[int, int, int]

    def __post_init__(self) -> None:
        if not self.name or any(not 0 <= channel <= 255 for channel in self.rgb):
            raise ValueError(f"label {self.id}: want a name and rgb of 0-255, got {self}")


@dataclass(frozen=True, slots=True)
class LabelSet:
    """Classes 0, 1, 2, ... of one name. At most 256, so that an id fits a byte."""

    name: str
    labels: tuple[Label, ...]

    def __post_init__(self) -> None:
        if [label.id for label in self.labels] != list(range(len(self.labels))):
            raise ValueError(f"label set {self.name}: ids must be 0, 1, 2, ... in order")
        if not self.name or not 1 <= len(self.labels) <= 256:
            raise ValueError(f"label set {self.name!r}: want 1-256 labels, got {len(self.labels)}")

    @property
    def palette(self) -> tuple[tuple[int, int, int], ...]:
        """The colours in order of ids."""
        return tuple(label.rgb for label in self.labels)

    def ids(self, name: str, where: str) -> tuple[int, ...]:
        """Of every class that is called so.

        Args:
            name: of the class.
            where: who names it, for the error's text.

        Raises:
            UsageError: none is; the text offers what is near.
        """
        found = tuple(label.id for label in self.labels if label.name == name)
        if found:
            return found
        names = list(dict.fromkeys(label.name for label in self.labels))
        near = get_close_matches(name, names, n=3)
        hint = f"near it are {', '.join(near)}" if near else f"it has {', '.join(names)}"
        raise UsageError(f"{where}: the label set {self.name} has no class {name!r}; {hint}")

    def records(self) -> list[dict[str, Any]]:
        """[{id, name, rgb}], as it is published."""
        return [
            {"id": label.id, "name": label.name, "rgb": list(label.rgb)} for label in self.labels
        ]


def label_set(name: str) -> LabelSet:
    """An official label set.

    The ADE20K names are the first of the synonyms that the data set gives each class.

    Args:
        name: one of `OFFICIAL`, or `coco`: its 80 things.
    """
    text = files("operators").joinpath("data", f"{name}.json").read_text(encoding="utf-8")
    return parse_label_set(name, json.loads(text))


def parse_label_set(name: str, records: Sequence[Mapping[str, Any]]) -> LabelSet:
    """A label set from [{id, name, rgb}].

    Raises:
        ValueError: a field is missing or out of range.
    """
    try:
        labels = tuple(
            Label(int(one["id"]), str(one["name"]), (red, green, blue))
            for one in records
            for red, green, blue in [one["rgb"]]
        )
    except (KeyError, TypeError) as error:
        raise ValueError(f"label set {name}: want [{{id, name, rgb}}], {error!r}") from error
    return LabelSet(name, labels)
