"""Deadlines over calls of a library that may never return.

A call -> its result, or `Stalled` in time. What is left behind stays in its own daemon thread.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")

LOOK_S = 0.1  # how often a wait looks whether its deadline was cut


class Stalled(Exception):
    """A call did not return in time. It may still have its effect, now or later."""


class Deadline:
    """A point in time that everything inside an operation has to respect."""

    def __init__(
        self,
        seconds: float,
        clock: Callable[[], float] = time.monotonic,
        *,
        cut: threading.Event | None = None,
        lost: Callable[[], bool] = lambda: False,
    ) -> None:
        """Starts now.

        Args:
            seconds: until it is over.
            clock: seconds, monotonic.
            cut: once set, by whatever thread, it is over at once.
            lost: as long as it says so, no time is left.
        """
        self._clock = clock
        self._cut = cut or threading.Event()
        self._lost = lost
        self._seconds = seconds
        self._began = clock()
        self._end = self._began + seconds

    @property
    def left_s(self) -> float:
        return 0.0 if self._cut.is_set() or self._lost() else max(0.0, self._end - self._clock())

    @property
    def elapsed_s(self) -> float:
        return self._clock() - self._began

    def restart(self) -> None:
        """Allow as long again: something was achieved."""
        self._end = self._clock() + self._seconds

    def pause(self, seconds: float) -> None:
        """Wait so long, whatever is left, unless it is cut."""
        self._cut.wait(seconds)

    def within(self, seconds: float, *, lost: Callable[[], bool] | None = None) -> Deadline:
        """An earlier deadline for one attempt, never later than this one.

        Args:
            seconds: that it is given.
            lost: tells when it is of no use any more; as of this one where it is not given.
        """
        left_s = min(seconds, self.left_s)
        return Deadline(left_s, self._clock, cut=self._cut, lost=lost or self._lost)

    def run(self, call: Callable[[], T], *, late: Callable[[T], None] | None = None) -> T:
        """Call in a thread of its own and wait no longer than is left.

        Args:
            call: may block for ever.
            late: takes the result of a call that returns after it was given up, to close it.

        Raises:
            Stalled: it did not return in time.
            BaseException: whatever `call` raised.
        """
        attempt = _Attempt(call, late)
        attempt.start()
        if not attempt.wait(lambda: self.left_s):
            raise Stalled(f"no answer within {self.elapsed_s:.1f} s")
        return attempt.result()


class _Attempt(Generic[T]):
    def __init__(self, call: Callable[[], T], late: Callable[[T], None] | None) -> None:
        self._call = call
        self._late = late
        self._lock = threading.Lock()
        self._done = threading.Event()
        self._given_up = False
        self._outcome: tuple[T, None] | tuple[None, BaseException] | None = None

    def start(self) -> None:
        threading.Thread(target=self._work, name="bounded-call", daemon=True).start()

    def wait(self, left_s: Callable[[], float]) -> bool:
        while (left := left_s()) > 0:
            if self._done.wait(min(left, LOOK_S)):
                return True
        with self._lock:
            self._given_up = self._outcome is None
        return not self._given_up

    def result(self) -> T:
        assert self._outcome is not None
        result, error = self._outcome
        if error is not None:
            raise error
        return result  # type: ignore[return-value]

    def _work(self) -> None:
        try:
            outcome: tuple[T, None] | tuple[None, BaseException] = (self._call(), None)
        except BaseException as error:
            outcome = (None, error)
        with self._lock:
            self._outcome = outcome
            late = self._given_up
        self._done.set()
        if late and self._late and outcome[1] is None:
            self._late(outcome[0])
