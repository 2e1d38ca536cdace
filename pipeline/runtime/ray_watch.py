"""Tells an actor that is lost from one that is busy: the errors that mean its end, and a heartbeat.

An actor answers its heartbeat on a thread beside its work. So a call may take as long as it likes:
a batch of a large model, a commit that waits for its broker. Silent is what is stopped, hangs in
the kernel, or cannot be reached, and that has a deadline.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import ray
from ray.exceptions import (
    GetTimeoutError,
    NodeDiedError,
    ObjectLostError,
    OutOfMemoryError,
    RayActorError,
    RayError,
    WorkerCrashedError,
)

from pipeline.errors import RuntimeFailure
from pipeline.log_line import LogLine
from pipeline.log_queue import relay

T = TypeVar("T")

BESIDE = "beside"  # the calls that are answered while another one works
GROUPS = {BESIDE: 1}
POLL_S = 0.5  # between looks, and so between beats
LAST_S = 5.0  # for the last lines of an actor that has done its work


class Lost(RuntimeFailure):
    """An actor is silent, or is not the one any more that it was."""


class SinkLost(Lost):
    """An engine's sink actor is lost: the engine itself can go on, through another one."""


# An actor, its node, or an object that was to come from there: whatever was asked must be asked
# again, of another one.
LOST = (
    Lost,
    RayActorError,
    ObjectLostError,
    NodeDiedError,
    WorkerCrashedError,
    OutOfMemoryError,
    GetTimeoutError,
)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long actors may be silent.

    Attributes:
        start_s: until it works: libraries of gigabytes from a cold network disk are loaded with
            the interpreter held.
        silence_s: from then on. Nothing of ours holds the interpreter for more than a moment; this
            is for machines that swap or are moved.
        lease_s: an engine that hears nothing of its driver ends itself; with the lease's grace
            before `silence_s` is over, so that it is gone when its successor begins.
    """

    start_s: float = 300.0
    silence_s: float = 30.0
    lease_s: float = 20.0


def is_lost(error: BaseException) -> bool:
    """Whether it tells of an actor's end, its own or that of one it needed."""
    return isinstance(error, LOST) or isinstance(getattr(error, "cause", None), LOST)


def why_lost(error: BaseException) -> str:
    """In a few words, for the log; Ray's own are a page."""
    return str(error) if isinstance(error, Lost) else type(error).__name__


@dataclass(frozen=True, slots=True)
class Beat(Generic[T]):
    """What an actor answers to its heartbeat.

    Attributes:
        answer: None while it starts.
        lines: that it has logged since the last one, whoever asked for that.
    """

    answer: T | None
    lines: tuple[LogLine, ...] = ()


class Pulse(Generic[T]):
    """The heartbeat of one actor, as somebody who needs it listens to it: one beat at a time. What
    the actor has logged is logged here."""

    def __init__(
        self,
        beat: Callable[[], ray.ObjectRef[Beat[T]]],
        patience: Patience,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """
        Args:
            beat: asks the actor.
            patience: how long it may be silent.
            clock: seconds, monotonic.
        """
        self._beat = beat
        self._patience = patience
        self._clock = clock
        self._call: ray.ObjectRef[Beat[T]] | None = None
        self._asked_s = 0.0
        self._allowed_s = patience.start_s
        self.heard = False

    def take(self) -> T | None:
        """A new answer, where one has come. Never waits.

        Raises:
            Lost: it has been silent for too long.
            RayError: the actor is gone.
        """
        if self._call is None:
            self._call, self._asked_s = self._beat(), self._clock()
        ready, _ = ray.wait([self._call], timeout=0)
        if not ready:
            if self._clock() - self._asked_s > self._allowed_s:
                raise Lost(f"no sign of life for {self._allowed_s:g} s")
            return None
        call, self._call = self._call, None
        beat: Beat[T] = ray.get(call)
        relay(beat.lines)
        self.heard = True
        if beat.answer is not None:
            self._allowed_s = self._patience.silence_s
        return beat.answer

    @property
    def silent_s(self) -> float:
        """How long it has owed an answer, as far as anybody has looked."""
        return 0.0 if self._call is None else self._clock() - self._asked_s

    def hear_out(self) -> None:
        """Log what an actor that has done its work has logged up to its end; one that is dead or
        does not answer has taken that along."""
        calls = [self._beat()] if self._call is None else [self._call, self._beat()]
        self._call = None
        for call in ray.wait(calls, num_returns=len(calls), timeout=LAST_S)[0]:
            with suppress(RayError):
                relay(ray.get(call).lines)

    def expect(self) -> None:
        """It has begun, though it has nothing to answer yet."""
        self._allowed_s = self._patience.silence_s

    def begin_again(self) -> None:
        """The actor starts anew."""
        self._call, self._allowed_s = None, self._patience.start_s


def answer(
    call: ray.ObjectRef[Any], pulse: Pulse[Any], look: Callable[[], None] = lambda: None
) -> Any:
    """The result of a call, for which an actor may take as long as its heart beats.

    Args:
        call: what is waited for.
        pulse: of the actor.
        look: called again and again meanwhile; what it raises ends the wait.

    Raises:
        Lost: it has been silent for too long.
        RayError: the actor is gone, or the call failed.
    """
    while not ray.wait([call], timeout=POLL_S)[0]:
        pulse.take()
        look()
    return ray.get(call)
