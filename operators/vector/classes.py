"""The classes of a head: what they are called, and from which score on one is said at all.

Scores in -> labels as a record has them out. Must not know where scores come from.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

from operators.weights.heads import Head

_DECIMALS = 6


@dataclass(frozen=True, slots=True)
class Classes:
    """Classes 0, 1, 2, ...

    Attributes:
        names: of each.
        thresholds: least score at which each is said, None where all are; from a validation.
    """

    names: tuple[str, ...]
    thresholds: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        if not self.names or not all(isinstance(name, str) and name for name in self.names):
            raise ValueError(f"want the names of the classes, got {self.names!r}")
        if self.thresholds is None:
            return
        if len(self.thresholds) != len(self.names):
            raise ValueError(
                f"want a threshold for each of {len(self.names)} classes, "
                f"got {len(self.thresholds)}"
            )
        # Above 1 a class is never said.
        if not all(_is_number(one) and one >= 0 for one in self.thresholds):
            raise ValueError(f"thresholds must be numbers from 0, got {self.thresholds!r}")

    def best(self, scores: NDArray[np.float32], top: int) -> list[dict[str, Any]]:
        """The highest scores that reach their thresholds; maybe none.

        Args:
            scores: probabilities, float32 `[classes]`.
            top: labels at most.

        Returns:
            `[{id, name, score}]`, highest first, the lower id first where scores are equal.
        """
        said = _highest(scores, top)
        return [
            {"id": number, "name": self.names[number], "score": round(score, _DECIMALS)}
            for number, score in said
            if self.thresholds is None or score >= self.thresholds[number]
        ]


RANDOM_CLASSES = Classes(tuple(f"untrained {number}" for number in range(10)))


def head_classes(head: Head) -> Classes:
    """What a head's own header says: `labels`, names or `{id, name, rgb}` in the order of their
    ids, and maybe `thresholds`.

    Raises:
        WeightsError: it says none, or something else.
    """
    labels, thresholds = head.facts.get("labels"), head.facts.get("thresholds")
    if not isinstance(labels, Sequence) or isinstance(labels, str):
        raise head.wrong("its header must list labels, the names of its classes")
    if thresholds is not None and not isinstance(thresholds, Sequence):
        raise head.wrong(f"thresholds in its header must be a list, got {thresholds!r}")
    names: tuple[Any, ...] = tuple(
        one.get("name") if isinstance(one, Mapping) else one for one in labels
    )
    try:
        return Classes(names, None if thresholds is None else tuple(thresholds))
    except ValueError as error:
        raise head.wrong(f"its header: {error}") from error


def imagenet_classes() -> Classes:
    """ImageNet's 1000, by the first word that WordNet has for each."""
    text = files("operators").joinpath("data", "imagenet.json").read_text(encoding="utf-8")
    return Classes(tuple(json.loads(text)))


def _highest(scores: NDArray[np.float32], top: int) -> list[tuple[int, float]]:
    """Numbers and scores, the highest first, the lower number first where they are equal."""
    least = len(scores) - min(top, len(scores))
    high = np.flatnonzero(
        scores >= np.partition(scores, least)[least]
    )  # a sort takes twice as long
    order = high[np.argsort(-scores[high], kind="stable")][:top]
    return list(zip(order.tolist(), scores[order].tolist(), strict=True))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
