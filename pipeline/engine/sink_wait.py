"""For how long a stream could not go on, because the sink had not answered yet. Pure."""

from __future__ import annotations

from collections import deque

REMEMBERED = 64  # waits; of a recording nobody ever asks for them


class SinkWait:
    """Of one stream. Moments are seconds on one clock that never goes back."""

    def __init__(self) -> None:
        self._waits: deque[tuple[float, float]] = deque(maxlen=REMEMBERED)  # from, to
        self._since_s: float | None = None  # while it waits

    def begin(self, now_s: float) -> None:
        """It waits, since now if it did not before."""
        if self._since_s is None:
            self._since_s = now_s

    def end(self, answered_s: float) -> None:
        """The sink has answered."""
        if self._since_s is not None and self._since_s < answered_s:
            self._waits.append((self._since_s, answered_s))
        self._since_s = None

    def after(self, moment_s: float) -> float:
        """Seconds that it has waited after a moment; asked for in their order."""
        while self._waits and self._waits[0][1] <= moment_s:
            self._waits.popleft()
        return sum(to_s - max(from_s, moment_s) for from_s, to_s in self._waits)
