"""A broker that is away while somebody follows it: that is borne, and told now and then."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from threading import Event
from typing import TypeVar

from pipeline.errors import SinkError
from pipeline.records.outage import said, span

log = logging.getLogger(__name__)

PAUSE_S = 0.5
TOLD_S = 60.0  # how often it is told

T = TypeVar("T")


class Absence:
    """Of one broker, as long as one reading follows it."""

    def __init__(self, where: str, cut: Event) -> None:
        """
        Args:
            where: the broker, for a person.
            cut: once set, nothing is waited for any longer.
        """
        self._where = where
        self._cut = cut
        self._since_s: float | None = None
        self._told_s = 0.0

    def bear(self, attempt: Callable[[], T], *, proof: Callable[[T], bool]) -> T | None:
        """What the attempt gives; None where the broker is away, after a pause.

        Args:
            attempt: asks the broker.
            proof: whether a result proves that the broker answered.

        Raises:
            SinkError: another attempt would not help.
        """
        try:
            result = attempt()
        except SinkError as error:
            if not error.retryable or self._cut.is_set():
                raise
            self._tell(error)
            self._cut.wait(PAUSE_S)
            return None
        if self._since_s is not None and proof(result):
            log.warning("%s is back after %s", self._where, span(time.monotonic() - self._since_s))
            self._since_s = None
        return result

    def _tell(self, error: SinkError) -> None:
        now_s = time.monotonic()
        first = self._since_s is None
        self._since_s = now_s if self._since_s is None else self._since_s
        if first or now_s - self._told_s >= TOLD_S:
            self._told_s = now_s
            log.warning("%s; retrying: %s", said(self._where, now_s - self._since_s), error)
