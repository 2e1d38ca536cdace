"""Operators that keep failing on a camera are left out there for a while. Pure.

A recording's operators never are: what its records say may not depend on what came before them in
this run.
"""

from __future__ import annotations

from dataclasses import dataclass

MOST_FAILURES = 20  # frames of one camera in a row
PAUSE_S = 60.0  # of its time; then one frame is tried


@dataclass(slots=True)
class _Fate:
    failures: int = 0
    until_us: int | None = None  # event time; None: it is given frames


class Suspension:
    """Of one live stream."""

    def __init__(self) -> None:
        self._fates: dict[str, _Fate] = {}

    def __bool__(self) -> bool:
        """An operator has failed of late, and may be left out."""
        return bool(self._fates)

    def holds(self, operator: str, event_time_us: int) -> bool:
        """Whether an operator is not to be given a frame of this event time."""
        fate = self._fates.get(operator)
        if fate is None or fate.until_us is None:
            return False
        # A session may begin earlier than another has ended: a clock was set.
        return 0 < fate.until_us - event_time_us <= PAUSE_S * 1e6

    def fail(self, operator: str, event_time_us: int) -> bool:
        """It failed on a frame; whether it is suspended from now on, and was not before."""
        fate = self._fates.setdefault(operator, _Fate())
        fate.failures += 1
        if fate.failures < MOST_FAILURES:
            return False
        new = fate.until_us is None
        fate.until_us = event_time_us + round(PAUSE_S * 1e6)
        return new

    def succeed(self, operator: str) -> bool:
        """It did a frame; whether it was suspended until then."""
        fate = self._fates.pop(operator, None)
        return fate is not None and fate.until_us is not None
