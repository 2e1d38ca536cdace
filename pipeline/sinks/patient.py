"""A sink that bears the outages of another one: tried again until it takes what it is given.

The other's attempts are bounded; how many there are is decided here, by patience alone. Nothing is
counted or thrown away: who waits here does not read on, and what cannot wait drops at its source.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from pipeline.errors import SinkAway, SinkError
from pipeline.records.commit import Commit
from pipeline.records.message import wall_clock_us
from pipeline.records.outage import Outage, said, span
from pipeline.records.record import Message
from pipeline.sinks.sink import Receipt, Sink
from pipeline.stream.progress import Progress

log = logging.getLogger(__name__)

T = TypeVar("T")

PAUSE_S = 0.2  # after the first failed attempt; then twice as long each time
LONGEST_PAUSE_S = 2.0  # so that who comes back has records within 5 s
TELL_S = 60.0
HUNG_S = 1.0  # an attempt that took so long when it is interrupted is not about to succeed


class PatientSink:
    """Implements `pipeline.sinks.sink.Sink`; every call is the other's, as often as it takes.

    The first claim or `resume` is tried once: an address where nobody ever answered is wrong until
    somebody does, and a wrong address is told soon.
    """

    def __init__(
        self,
        sink: Sink,
        *,
        name: str = "the sink",
        patience_s: float | None = None,
        tell: Callable[[Outage | None], None] = lambda _: None,
        clock: Callable[[], float] = time.monotonic,
        clock_us: Callable[[], int] = wall_clock_us,
        wait: Callable[[float], bool] | None = None,
    ) -> None:
        """
        Args:
            sink: the other one.
            name: what it is, with its address, for a person.
            patience_s: how long an outage is borne; None: for ever.
            tell: called with the outage after each failed attempt, with None when it is over.
            clock: seconds, monotonic.
            clock_us: wall clock, microseconds.
            wait: waits so many seconds; true where it was interrupted. For tests.
        """
        self._sink = sink
        self._name = name
        self._patience_s = patience_s
        self._met = False
        self._tell = tell
        self._clock = clock
        self._clock_us = clock_us
        self._interrupted = threading.Event()
        self._wait = wait or self._interrupted.wait
        self._lock = threading.Lock()
        self._attempt_s: float | None = None  # when the attempt that runs began
        self._outage: Outage | None = None
        self._ended: list[Outage] = []

    @property
    def outage(self) -> Outage | None:
        """The one that goes on, as far as it goes; from any thread."""
        return self._outage

    @property
    def interrupted(self) -> bool:
        """Somebody waits for the end of the run."""
        return self._interrupted.is_set()

    def meet(self) -> None:
        """It has answered before, to whoever this one replaces: the first claim is borne too."""
        self._met = True

    def claim(self, jobs: Mapping[str, str], *, fresh: bool = False) -> dict[str, Progress]:
        if self._met:
            return self._bear(lambda: self._sink.claim(jobs, fresh=fresh))
        claimed = self._sink.claim(jobs, fresh=fresh)
        self._met = True
        return claimed

    def resume(self, held: Sequence[Progress]) -> dict[str, Progress]:
        if self._met:
            return self._bear(lambda: self._sink.resume(held))
        resumed = self._sink.resume(held)
        self._met = True
        return resumed

    def commit(self, commits: Sequence[Commit]) -> Receipt:
        return self._bear(lambda: self._sink.commit(commits))

    def publish(self, messages: Sequence[Message]) -> Receipt:
        return self._bear(lambda: self._sink.publish(messages))

    def interrupt(self) -> None:
        """Bear no outage any longer. An attempt that is about to succeed still may."""
        self._interrupted.set()
        with self._lock:
            began_s = self._attempt_s
            hung = began_s is not None and self._clock() - began_s >= HUNG_S
        if hung or self._outage:
            self._sink.interrupt()

    def close(self) -> None:
        self._sink.close()

    def take_ended(self) -> list[Outage]:
        """The outages that are over and were not taken yet."""
        ended, self._ended = self._ended, []
        return ended

    def _bear(self, call: Callable[[], T]) -> T:
        """
        Raises:
            SinkAway: patience is over, or somebody interrupted.
            SinkError: another attempt would not help.
        """
        began_s, began_us, told_s = self._clock(), self._clock_us(), None
        attempts = 0
        while True:
            try:
                result = self._attempt(call)
            except SinkError as error:
                if not error.retryable:
                    raise
                attempts += 1
                now_s = self._clock()
                outage = Outage(began_us, now_s - began_s, attempts, str(error))
                self._note(outage)
                if told_s is None or now_s - told_s >= TELL_S:
                    told_s = now_s
                    log.warning("%s, retrying: %s", said(self._name, outage.duration_s), error)
                self._pause(outage, error)
            else:
                self._recover()
                return result

    def _attempt(self, call: Callable[[], T]) -> T:
        with self._lock:
            self._attempt_s = self._clock()
        try:
            return call()
        finally:
            with self._lock:
                self._attempt_s = None

    def _note(self, outage: Outage | None) -> None:
        self._outage = outage
        self._tell(outage)

    def _pause(self, outage: Outage, error: SinkError) -> None:
        left_s = min(LONGEST_PAUSE_S, PAUSE_S * 2 ** min(outage.attempts - 1, 10))
        over = False
        if self._patience_s is not None:
            over = outage.duration_s + left_s > self._patience_s
        if not over:
            self._wait(left_s)
        if over or self._interrupted.is_set():
            why = f"patience of {self._patience_s:g} s is over" if over else "the run is to end"
            raise SinkAway(f"{said(self._name, outage.duration_s)}, and {why}: {error}") from error

    def _recover(self) -> None:
        if self._outage:
            log.warning(
                "%s takes records again, after %s and %d failed attempts",
                *(self._name, span(self._outage.duration_s), self._outage.attempts),
            )
            self._ended.append(self._outage)
            self._note(None)
