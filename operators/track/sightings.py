"""What is seen in one frame, as a tracker takes it."""

from __future__ import annotations

from dataclasses import dataclass

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

    def __len__(self) -> int:
        return len(self.boxes)

    def of(self, row: int) -> Sighting:
        """One of them, in plain numbers."""
        left, top, right, bottom = self.boxes[row].tolist()
        score, label = float(self.scores[row]), int(self.labels[row])
        return (left, top, right, bottom), score, label, self.looks[row]
