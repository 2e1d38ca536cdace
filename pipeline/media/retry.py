"""When a request that failed is made again: later each time, and not for ever."""

from __future__ import annotations

import http.client
import time
import urllib.error
from collections.abc import Callable

from pipeline.errors import SourceError

TRIES = 6  # in a row that bring nothing
FIRST_WAIT_S = 0.5  # before the first of them; doubles: 31.5 s in all
_LATER = (http.client.REQUEST_TIMEOUT, http.client.TOO_EARLY, http.client.TOO_MANY_REQUESTS)

Wait = Callable[[float], bool]
"""Waits so many seconds; False: nobody wants the rest any more."""


def sleep(seconds: float) -> bool:
    """Wait, whatever happens."""
    time.sleep(seconds)
    return True


class Retry:
    """The tries at one thing."""

    def __init__(self, wait: Wait) -> None:
        self._wait = wait
        self._tries = 0

    def worked(self) -> None:
        """The next failure is the first."""
        self._tries = 0

    def is_worth(self, error: OSError | SourceError) -> bool:
        """Waits until the next try is due. False at once: none is left, or none would help."""
        if self._tries == TRIES or _is_final(error):
            return False
        self._tries += 1
        return self._wait(FIRST_WAIT_S * float(1 << (self._tries - 1)))


def _is_final(error: OSError | SourceError) -> bool:
    if isinstance(error, SourceError):
        return not error.retryable
    if isinstance(error, urllib.error.HTTPError):
        return error.code < http.client.INTERNAL_SERVER_ERROR and error.code not in _LATER
    return False
