"""What is shown of a job's streams, and what has changed: written by one thread, read by many."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from operators.moment import rfc3339
from pipeline.control.fared import Fared
from pipeline.records.message import wall_clock_us

KEPT = 1000  # changes that whoever was away for a while can still be told


@dataclass(frozen=True, slots=True)
class Change:
    """A stream has another state, or another reason for it.

    Attributes:
        number: 1 for the first of this run; none is left out.
        state: as of `Fared`, or removed.
    """

    number: int
    at_us: int
    stream: str
    state: str
    reason: str

    def plain(self) -> dict[str, Any]:
        """JSON values."""
        facts = {"stream": self.stream, "state": self.state, "reason": self.reason}
        return {"number": self.number, "time": rfc3339(self.at_us), **facts}


class Board:
    """The newest of every stream, and the changes up to there."""

    def __init__(self, clock_us: Callable[[], int] = wall_clock_us) -> None:
        """
        Args:
            clock_us: wall clock, microseconds since the epoch.
        """
        self._clock_us = clock_us
        self._lock = threading.Lock()
        self._fared: Mapping[str, Fared] = {}
        self._since_us: dict[str, int] = {}
        self._changes: deque[Change] = deque(maxlen=KEPT)
        self._number = 0

    @property
    def number(self) -> int:
        """Of the newest change; 0 before the first."""
        with self._lock:
            return self._number

    def write(self, fared: Mapping[str, Fared]) -> None:
        """This is how all streams are now."""
        now_us = self._clock_us()
        with self._lock:
            before, self._fared = self._fared, dict(fared)
            for name in before.keys() - fared.keys():
                self._since_us.pop(name)
                self._note(now_us, name, "removed", "")
            for name, one in fared.items():
                was = before.get(name)
                if was is None or was.state != one.state:
                    self._since_us[name] = now_us
                if was is None or (was.state, was.reason) != (one.state, one.reason):
                    self._note(now_us, name, one.state, one.reason)

    def streams(self) -> dict[str, dict[str, Any]]:
        """Every stream as JSON values."""
        with self._lock:
            return {name: one.plain(self._since_us[name]) for name, one in self._fared.items()}

    def stream(self, name: str) -> dict[str, Any] | None:
        """One of them; None where there is none."""
        with self._lock:
            one = self._fared.get(name)
            return None if one is None else one.plain(self._since_us[name])

    def fared(self) -> Mapping[str, Fared]:
        """Every stream."""
        with self._lock:
            return self._fared

    def standing(self) -> dict[str, tuple[Fared, int]]:
        """Every stream, and since when its state is what it is, microseconds since the epoch."""
        with self._lock:
            return {name: (one, self._since_us[name]) for name, one in self._fared.items()}

    def changes(self, after: int) -> tuple[int, list[Change]]:
        """Those behind number `after`, and how many of them are kept no more."""
        with self._lock:
            kept = [change for change in self._changes if change.number > after]
            return max(0, self._number - after) - len(kept), kept

    def _note(self, now_us: int, stream: str, state: str, reason: str) -> None:
        self._number += 1
        self._changes.append(Change(self._number, now_us, stream, state, reason))
