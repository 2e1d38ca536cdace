"""How long an engine's batches and its sink's commits take, as of late. Pure."""

from __future__ import annotations

import math

RISE, FALL = 0.3, 0.1  # what a new figure counts for where it is above, or below, the one known


class Pace:
    """Goes up sooner than down: a deadline that is met too early costs less than one missed."""

    def __init__(self, batch_size: int) -> None:
        self._batch_size = batch_size
        self._batch_s = 0.0
        self._commit_s = 0.0

    def see_batch(self, seconds: float) -> None:
        """A batch took so long."""
        self._batch_s = _after(self._batch_s, seconds)

    def see_commit(self, seconds: float) -> None:
        """A commit took so long, from being sent until it was in the sink."""
        self._commit_s = _after(self._commit_s, seconds)

    def lead_s(self, frames: int) -> float:
        """How long before its deadline a run of so many frames has to be begun."""
        return math.ceil(frames / self._batch_size) * self._batch_s + self._commit_s


def _after(known_s: float, seen_s: float) -> float:
    return known_s + (RISE if seen_s > known_s else FALL) * (seen_s - known_s)
