"""Hands what traced frames took to whoever sends it, on a thread of its own: no frame waits."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Sequence
from typing import NamedTuple, Protocol

from operators.frames import FrameInfo
from pipeline.engine.latency import Spent
from pipeline.stream.trace_context import TraceContext

log = logging.getLogger(__name__)

ROOM = 2048  # frames that wait to be sent
BATCH = 256  # frames that are sent at once
GATHER_S = 1.0  # so long a batch is waited for
CLOSE_S = 5.0  # for what is left at the end
TELL_S = 60.0  # between two lines about what was dropped


class TracedFrame(NamedTuple):
    """A frame whose records are in the sink, and what that took."""

    context: TraceContext
    info: FrameInfo
    spent: Spent


class Sender(Protocol):
    """Takes spans to where they are kept.

    Attributes:
        why: the last frames were not taken; empty where they were.
    """

    @property
    def why(self) -> str: ...

    def send(self, frames: Sequence[TracedFrame]) -> bool:
        """Called from one thread, and may take long; whether they are there."""

    def close(self) -> None:
        """No more will come; from another thread, and ends a `send` that waits."""


class Tracer:
    """What finds no room, or cannot be sent, is counted and told."""

    def __init__(self, ratio: float, sender: Sender, *, room: int = ROOM) -> None:
        """
        Args:
            ratio: part of the frames that are traced, 0 to 1.
            sender: is closed with this.
            room: frames that may wait.
        """
        self._ratio = ratio
        self._sender = sender
        self._room = room
        self._waiting: deque[TracedFrame] = deque()
        self._come = threading.Event()
        self._over = threading.Event()
        self._late = False
        self._no_room = 0  # counted by the engine's thread
        self._not_sent = 0  # counted by the one below
        self._told, self._told_s = 0, -TELL_S
        self._thread = threading.Thread(target=self._work, name="tracer", daemon=True)
        self._thread.start()

    @property
    def dropped(self) -> int:
        """Traced frames that nobody will see."""
        return self._no_room + self._not_sent

    def see(self, infos: Sequence[FrameInfo], spent: Sequence[Spent]) -> None:
        """Records of these frames are in the sink; never waits."""
        for info, one in zip(infos, spent, strict=True):
            if context := TraceContext.of(info, self._ratio):
                if len(self._waiting) < self._room:
                    self._waiting.append(TracedFrame(context, info, one))
                else:
                    self._no_room += 1
                self._come.set()

    def close(self) -> None:
        """Send what is left, as far as that is done soon."""
        self._over.set()
        self._come.set()
        self._thread.join(CLOSE_S)
        self._late = True
        self._sender.close()
        self._thread.join(CLOSE_S)
        self._tell(0.0)

    def _work(self) -> None:
        while not self._over.is_set():
            self._come.wait()
            self._come.clear()
            self._over.wait(GATHER_S)
            while self._waiting and not self._late:
                count = min(BATCH, len(self._waiting))
                frames = [self._waiting.popleft() for _ in range(count)]
                if not self._sender.send(frames):
                    self._not_sent += count
                self._tell(TELL_S)
        self._not_sent += len(self._waiting)

    def _tell(self, since_s: float) -> None:
        """Say how many were dropped, where it was so long ago that this was said last."""
        dropped, now_s = self.dropped, time.monotonic()
        if dropped > self._told and now_s - self._told_s >= since_s:
            why = self._sender.why or "more came than could be sent"
            log.warning("%d more traces are lost: %s", dropped - self._told, why)
            self._told, self._told_s = dropped, now_s
