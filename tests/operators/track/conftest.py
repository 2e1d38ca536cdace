"""Frames of things that move, as a tracker sees them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from operators.track.sightings import Sightings
from operators.track.track import Moment

Thing = tuple[float, float, float]
"""Centre x, y and side of a square, pixels."""


@pytest.fixture(scope="session")
def sighted() -> Callable[..., Sightings]:
    """`sighted([(x, y, side)], looks=[[1, 0]], labels=[0], scores=[0.9])`: what a frame shows."""

    def made(
        things: Sequence[Thing],
        *,
        looks: Sequence[Sequence[float]] | None = None,
        labels: Sequence[int] | None = None,
        scores: Sequence[float] | None = None,
    ) -> Sightings:
        count = len(things)
        boxes = [(x - side / 2, y - side / 2, x + side / 2, y + side / 2) for x, y, side in things]
        own = np.array(looks if looks is not None else [[1.0, 0.0]] * count, dtype=np.float32)
        return Sightings(
            np.array(boxes, dtype=np.float32).reshape(count, 4),
            np.array(scores or [0.9] * count, dtype=np.float32),
            np.array(labels or [0] * count, dtype=np.int64),
            own if count else np.zeros((0, 2), dtype=np.float32),
        )

    return made


@pytest.fixture(scope="session")
def at() -> Callable[[float], Moment]:
    """`at(0.2)`: the frame of that second."""
    return lambda second: Moment(round(second * 1e6), str(round(second * 1000)))
