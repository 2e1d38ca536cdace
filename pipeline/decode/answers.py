"""What a decode process says to its host: over the pipe, and on the slate that it looks at."""

from __future__ import annotations

import os
import threading
import time

from pipeline.decode.slate import Note, Reached, Slate
from pipeline.decode.wire import Message, pack, write_all
from pipeline.log_queue import LogQueue
from pipeline.media.picture import Mark
from pipeline.stream.chunk import Counts, Entry

NONE = Counts()
BEAT_S = 0.5  # a sign of life at most so often; a recording's while somebody waits for a chunk


class Answers:
    """The pipe to the parent, and the slate that it looks at. Every message takes along what was
    logged up to then."""

    def __init__(self, fd: int, slate: Slate, logs: LogQueue) -> None:
        self._fd = fd
        self._slate = slate
        self._logs = logs
        self._beaten_s = 0.0
        self._memory_bytes = 0
        self._reached: Reached = (NONE, None)
        self._noting = threading.Lock()

    def reach(self, reached: Reached) -> None:
        """Write down what a live connection has brought, by whoever reads it, before any of it can
        be handed over: it counts as lost where this process is killed."""
        with self._noting:
            self._reached = reached
            self._slate.write(Note(time.monotonic(), self._memory_bytes, *reached))

    def chunk(
        self, entries: tuple[Entry, ...], counts: Counts = NONE, mark: Mark | None = None
    ) -> None:
        """Answer one `next`."""
        self._note(counts, mark)
        self._send(Message("chunk", entries, self._logs.take()))

    def news(
        self, entries: tuple[Entry, ...], counts: Counts = NONE, mark: Mark | None = None
    ) -> None:
        """Say what nobody asked for."""
        self._note(counts, mark)
        self._send(Message("news", entries, self._logs.take()))

    def beat(self, counts: Counts = NONE, mark: Mark | None = None) -> None:
        """Write down that there is progress; what was logged is said."""
        now_s = time.monotonic()
        if now_s - self._beaten_s >= BEAT_S:
            self._beaten_s = now_s
            self._note(counts, mark)
            if lines := self._logs.take():
                self._send(Message("news", lines=lines))

    def _note(self, counts: Counts, mark: Mark | None) -> None:
        """Before what is sent: all that is handed over has been counted."""
        with self._noting:
            self._memory_bytes = peak_memory_bytes()
            newest = max((counts, mark), self._reached, key=lambda reached: reached[0].decoded)
            self._slate.write(Note(time.monotonic(), self._memory_bytes, *newest))

    def _send(self, message: Message) -> None:
        try:
            write_all(self._fd, pack(message))
        except BrokenPipeError:
            os._exit(0)


def peak_memory_bytes() -> int:
    """Largest resident memory of this process so far; getrusage would count the parent's, before
    the exec."""
    with open("/proc/self/status", "rb") as status:
        for line in status:
            if line.startswith(b"VmHWM:"):
                return int(line.split()[1]) * 1024
    return 0
