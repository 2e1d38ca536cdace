"""What is seen in one frame, as a tracker takes it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

Sighting = tuple[tuple[float, float, float, float], float, int, NDArray[np.float32]]
"""Box, score, label and look of one thing."""


@dataclass(frozen=True, slots=True)
class Sightings:
    """The detections of one frame, the best first.

    Attributes:
        boxes: float32 `[N, 4]`: left, top, right, bottom in pixels.
        scores: float32 `[N]`.
        labels: whole numbers `[N]`.
        looks: float32 `[N, D]`, of length 1; D is 0 where nothing is known of looks.
    """

    boxes: NDArray[np.float32]
    scores: NDArray[np.float32]
    labels: NDArray[np.int64]
    looks: NDArray[np.float32]

    @classmethod
    def put_together(cls, seen: Sequence[Sighting]) -> Self:
        """Of single ones, in their order."""
        boxes = np.array([box for box, *_ in seen], np.float32).reshape(-1, 4)
        looks = np.stack([look for *_, look in seen]) if seen else np.empty((0, 0), np.float32)
        scores = np.array([score for _, score, *_ in seen], np.float32)
        return cls(boxes, scores, np.array([label for *_, label, _ in seen], np.int64), looks)

    def __len__(self) -> int:
        return len(self.boxes)

    def of(self, row: int) -> Sighting:
        """One of them, in plain numbers."""
        left, top, right, bottom = self.boxes[row].tolist()
        score, label = float(self.scores[row]), int(self.labels[row])
        return (left, top, right, bottom), score, label, self.looks[row]
