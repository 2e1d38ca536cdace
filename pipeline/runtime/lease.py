"""A process that must be spoken to: it ends when nobody does."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable

log = logging.getLogger(__name__)

GRACE_S = 5.0  # for what was said while this process was stopped, or held its interpreter


def _end() -> None:
    os._exit(1)  # no clean-up may wait for whoever is away


class Lease:
    """Ends the process once it has not been renewed for too long."""

    def __init__(
        self, seconds: float, *, grace_s: float = GRACE_S, end: Callable[[], None] = _end
    ) -> None:
        """
        Args:
            seconds: longest time between two renewals, from now on.
            grace_s: and so much longer, in which what has arrived meanwhile is heard.
            end: what is done then.
        """
        self._seconds = seconds
        self._grace_s = grace_s
        self._end = end
        self._renewed = threading.Event()
        threading.Thread(target=self._watch, name="lease", daemon=True).start()

    def renew(self) -> None:
        """Somebody spoke."""
        self._renewed.set()

    def _watch(self) -> None:
        while self._renewed.wait(self._seconds) or self._renewed.wait(self._grace_s):
            self._renewed.clear()
        log.error("nobody has spoken to this process for %g s: it ends", self._seconds)
        self._end()
