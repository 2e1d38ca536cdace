"""One record of a series for each step of its time, and no more. Pure."""

from __future__ import annotations

from collections.abc import Hashable


class Pace:
    """Lets records of many series through, each at the same pace."""

    def __init__(self, per_s: float) -> None:
        """
        Args:
            per_s: steps of a second of event time.
        """
        self._step_us = round(1_000_000 / per_s)
        self._steps: dict[Hashable, int] = {}

    def lets(self, series: Hashable, time_us: int) -> bool:
        """Whether the record of a series at that moment is the first of its step."""
        step = time_us // self._step_us
        if self._steps.get(series) == step:
            return False
        self._steps[series] = step
        return True
