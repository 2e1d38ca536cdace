"""The process that decodes one stream: `python -m pipeline.decode.child FD MEMORY_BYTES`.

A spec comes as one JSON line on stdin, then `next` and `stop`; chunks go to the descriptor FD, and
signs of life are written down in front of what goes to stderr (`pipeline.decode.slate`). It dies
with its parent, and by itself when it needs too much memory. Must not import torch.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from queue import SimpleQueue
from typing import IO

from pipeline.decode.answers import BEAT_S, Answers, peak_memory_bytes
from pipeline.decode.archived import Archived
from pipeline.decode.buffer import Buffer
from pipeline.decode.capture import Capture
from pipeline.decode.chained import Chained
from pipeline.decode.collector import Collector, Item
from pipeline.decode.following import Following
from pipeline.decode.playback import Playback
from pipeline.decode.shots import Shots
from pipeline.decode.slate import Slate
from pipeline.decode.sought import Sought, SoughtTape
from pipeline.decode.stillness import Stillness
from pipeline.decode.taped import Taped
from pipeline.logs import set_up_kept_logging
from pipeline.media.retry import Wait
from pipeline.media.transfer import Transfer
from pipeline.secrets import remember_url
from pipeline.stream.chunk import TROUBLES, End, Entry, Fault
from pipeline.stream.dropped import Dropped
from pipeline.stream.spec import StreamSpec

ROOM_S = 0.1  # that a frame of a connection's beginning waits for room in the buffer
STEP_S = 0.5  # at a stop: that a step of reading may take until its frames are in the buffer


class Orders:
    """What the parent wants, read by a thread of its own so that its death is always noticed."""

    def __init__(self, stdin: IO[str]) -> None:
        self._stdin = stdin
        self._wanted = threading.Semaphore(0)
        self.stopping = threading.Event()
        threading.Thread(target=self._read, daemon=True).start()

    def wanted(self, timeout_s: float | None = None) -> bool:
        """Take one `next`, waiting for it so long (None: for ever)."""
        return self._wanted.acquire(timeout=timeout_s)

    @property
    def pending(self) -> bool:
        """Somebody waits for a chunk."""
        if self._wanted.acquire(blocking=False):
            self._wanted.release()
            return True
        return False

    def patience(self, alive: Callable[[], None]) -> Wait:
        """How a transfer waits: with signs of life, and only for as long as it is wanted."""

        def wait(seconds: float) -> bool:
            until_s = time.monotonic() + seconds
            while not self.stopping.is_set():
                alive()
                left_s = until_s - time.monotonic()
                if left_s <= 0:
                    return True
                self.stopping.wait(min(left_s, BEAT_S))
            return False

        return wait

    def _read(self) -> None:
        for line in self._stdin:
            if line.strip() == "next":
                self._wanted.release()
            elif line.strip() == "stop":
                self.stopping.set()
        os._exit(0)  # the parent is gone; libav may hang, so nothing is cleaned up


def play(spec: StreamSpec, orders: Orders, answers: Answers) -> None:
    """A recording: one chunk ahead of what is asked for, and no further."""
    collector = Collector(spec.chunk_ms, time.monotonic)
    shots, stillness = Shots(spec), Stillness(spec)

    def alive() -> None:
        """Also while bytes are waited for, which frames that are there do not wait for."""
        if not orders.pending:
            return
        if collector.full:
            orders.wanted()
            answers.chunk(with_memory(collector.take()))
        else:
            answers.beat()

    playback = reader_of(spec)(spec, wall_us, orders.patience(alive))
    for item in playback.items():
        if orders.stopping.is_set() and is_failure(item):
            # Whoever waited for bytes was told to stop.
            item = playback.end("stopped")
        for told in [] if item is None else shots.judge(item):
            collector.add(stillness.judge(told))
        alive()
        if collector.full:
            orders.wanted()
            answers.chunk(with_memory(collector.take()))
        if orders.stopping.is_set() and not isinstance(item, End):
            collector.add(playback.end("stopped"))
            orders.wanted()
            answers.chunk(with_memory(collector.take()))
            return


def reader_of(spec: StreamSpec) -> type[Archived | Following | Taped | Playback]:
    """What plays a recording of its kind."""
    if spec.kept:
        return Archived
    if spec.at:
        return SoughtTape if spec.taped else Sought
    if spec.follow:
        return Following
    if spec.layout:
        return Chained
    return Taped if spec.taped else Playback


def capture(spec: StreamSpec, orders: Orders, answers: Answers) -> None:
    """A live stream: decoded always, kept as far as there is room. What is left when it is over
    goes to the parent at once, so that nothing holds up the next connection."""
    buffer = Buffer(spec)
    steps = threading.Event()
    transfer = Transfer(live=True, wait=orders.patience(steps.set), transport=spec.transport)
    source = Capture(spec, steady_clock(), transfer, tell=answers.reach)
    troubles: SimpleQueue[Fault] = SimpleQueue()

    def fill() -> None:
        for item in source.items():
            steps.set()
            waits = source.finite or spec.drop == "block"
            if waits:
                wait_for_room(buffer, steps.set)
            elif source.settling and spec.drop == "oldest":
                buffer.wait_for_room(ROOM_S)
            if isinstance(item, Fault) and item.kind in TROUBLES:
                troubles.put(item)
            elif item is not None:
                buffer.put(item, patient=waits)
            if item is None and orders.stopping.is_set():  # all of a step's items are in
                break
        for item in source.rest():
            buffer.put(item)
        buffer.close()

    filler = threading.Thread(target=fill, daemon=True)
    filler.start()
    asked = False
    while not buffer.closed:
        asked = asked or orders.wanted(BEAT_S)
        if asked and (entries := buffer.take(BEAT_S)):
            answers.chunk(with_memory(entries), *source.reached)
            asked = False
        if orders.stopping.is_set():
            filler.join(STEP_S)
            for item in source.rest():
                buffer.put(item)
            buffer.close()  # whoever fills it may wait for a camera that says nothing
        if steps.is_set():
            steps.clear()
            answers.beat(*source.reached)
        if not troubles.empty() and not buffer.closed:
            answers.news((troubles.get(),), *source.reached)
    ending = stopped(spec, source, buffer)  # now: what is read after it is not of this run
    while entries := buffer.take(0):
        answers.news(with_memory(entries), *source.reached)
    while not troubles.empty():
        answers.news((troubles.get(),), *source.reached)
    if orders.stopping.is_set():
        answers.news(with_memory(ending), *source.reached)


def wait_for_room(buffer: Buffer, alive: Callable[[], None]) -> None:
    """However long it takes: who waits for the engine is no decoder that hangs."""
    while not buffer.wait_for_room(BEAT_S):
        alive()


def stopped(spec: StreamSpec, source: Capture, buffer: Buffer) -> tuple[Entry, ...]:
    """The end of a stream whose buffer is closed, after what came too late for it."""
    taken = source.taken  # before what is decoded: whoever fills it may not have ended
    late = Dropped(spec.stream, len(spec.samplings))
    late.add("drain", [*(taken - buffer.taken).elements()])
    return (*late.take(), replace(source.end("stopped"), sampled=taken.total()))


def is_failure(item: Item | None) -> bool:
    """An end that may be another one another day."""
    return isinstance(item, End) and (item.unfinished or item.outcome == "rejected")


def with_memory(entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
    """The end also says what this process took."""
    return tuple(
        replace(entry, memory_bytes=peak_memory_bytes()) if isinstance(entry, End) else entry
        for entry in entries
    )


def wall_us() -> int:
    """Microseconds since the epoch."""
    return time.time_ns() // 1000


def steady_clock() -> Callable[[], int]:
    """Microseconds since the epoch by a clock that nobody sets while it is read."""
    began_ns = time.time_ns() - time.monotonic_ns()
    return lambda: (began_ns + time.monotonic_ns()) // 1000


def die(args: threading.ExceptHookArgs) -> None:
    """What a thread fails of ends the process, with its last words: the others would go on without
    it, and a camera that nobody reads looks like one that is silent."""
    threading.__excepthook__(args)
    os._exit(1)


def main() -> None:
    """Decode one stream for the process that started this one."""
    threading.excepthook = die
    logs = set_up_kept_logging("warning")
    fd, memory_bytes = int(sys.argv[1]), int(sys.argv[2])
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    spec = StreamSpec.from_json(json.loads(sys.stdin.readline()))
    # CUDA reserves far more addresses than it writes to.
    limit = resource.RLIMIT_AS if spec.decode == "cpu" else resource.RLIMIT_DATA
    resource.setrlimit(limit, (memory_bytes, memory_bytes))
    for url in (spec.url, *spec.join):
        remember_url(url)
    orders, answers = Orders(sys.stdin), Answers(fd, Slate(sys.stderr.fileno()), logs)
    answers.news(())  # opening may take most of `stall_s`, which starting must not use up
    (capture if spec.live else play)(spec, orders, answers)
    os._exit(0)  # without the interpreter's farewell: a decode thread may still be in libav


if __name__ == "__main__":
    main()
