"""A detector that is as bad as it is said to be: true boxes -> detections, from a seed alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchmarks.tracking.metrics import Numbers
from operators.track.sightings import Sightings


@dataclass(frozen=True, slots=True)
class Noise:
    """
    Attributes:
        missed: share of true boxes that are not detected.
        jitter: of each side of a box, share of the box's width or height, standard deviation.
        invented: false boxes a frame, on average.
    """

    missed: float = 0.1
    jitter: float = 0.05
    invented: float = 0.3

    def detect(
        self,
        rng: np.random.Generator,
        boxes: Numbers,
        labels: np.ndarray,
        size_wh: tuple[int, int],
    ) -> Sightings:
        """What is detected of true boxes `[n, 4]` in a picture; the best first, no looks yet."""
        kept = rng.random(len(boxes)) >= self.missed
        sides = (boxes[:, 2:] - boxes[:, :2])[:, [0, 1, 0, 1]]
        seen = (boxes + rng.normal(0, self.jitter, boxes.shape) * sides)[kept]
        false = self._false(rng, sides[:, :2], size_wh)
        found = np.concatenate([_ordered(seen), false])
        scores = np.concatenate(
            [rng.beta(8, 2, len(seen)), rng.beta(4, 4, len(false))]  # means 0.8 and 0.5
        )
        known = np.concatenate([labels[kept], rng.choice(labels, len(false))])
        order = np.argsort(-scores, kind="stable")
        looks = np.zeros((len(order), 0), np.float32)
        return Sightings(
            found[order].astype(np.float32), scores[order].astype(np.float32), known[order], looks
        )

    def _false(self, rng: np.random.Generator, sizes: Numbers, size_wh: tuple[int, int]) -> Numbers:
        """Boxes as large as true ones are, anywhere."""
        number = rng.poisson(self.invented) if len(sizes) else 0
        size = sizes[rng.integers(0, max(1, len(sizes)), number)] if number else np.zeros((0, 2))
        corner = rng.random((number, 2)) * np.maximum(np.array(size_wh) - size, 1)
        return np.concatenate([corner, corner + size], axis=1)


def _ordered(boxes: Numbers) -> Numbers:
    """No jitter turns a box inside out."""
    low, high = np.minimum(boxes[:, :2], boxes[:, 2:]), np.maximum(boxes[:, :2], boxes[:, 2:])
    return np.concatenate([low, np.maximum(high, low + 1)], axis=1)
