"""The end of a run by the clock: when it was asked for, and since when what is left is cut off."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

log = logging.getLogger(__name__)


class Drain:
    """Not begun until `ask`, which any thread may call; the rest belongs to the run's loop."""

    def __init__(
        self, within_s: float, interrupt: Callable[[], None], clock: Callable[[], float]
    ) -> None:
        """
        Args:
            within_s: what is given to what is decoded.
            interrupt: called from a thread of its own when that is over and the run is not: a
                sink may be away.
            clock: seconds, monotonic.
        """
        self._within_s = within_s
        self._interrupt = interrupt
        self._clock = clock
        self._asked_s = 0.0
        self._asked = threading.Event()
        self._over = threading.Event()
        self.cut_s: float | None = None  # since when nothing more is computed

    @property
    def asked(self) -> bool:
        return self._asked.is_set()

    def ask(self) -> None:
        """Come to an end; without effect the second time."""
        if not self._asked.is_set():
            self._asked_s = self._clock()
            self._asked.set()
            threading.Thread(target=self._hurry, name="drain", daemon=True).start()

    def look(self) -> None:
        """Notice that the time is over."""
        if self.asked and self.cut_s is None and self._clock() >= self._asked_s + self._within_s:
            self.cut_s = self._clock()
            log.warning("%g s after the signal: what still waits is cut off", self._within_s)

    def close(self) -> None:
        """The run has ended."""
        self._over.set()

    def _hurry(self) -> None:
        if not self._over.wait(self._within_s):
            self._interrupt()
