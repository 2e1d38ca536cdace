"""Watches over one stream's decode process: one chunk per request, whatever happens to it.

A request orders a chunk from the process only while nothing that is there answers it, and what the
process has once handed over is kept until a request takes it.

What a failure means is decided by its two kinds, `recorded` and `live`. No threads, no waiting; the
host calls when there is something to read and when time has passed.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence

from pipeline.decode.backlog import Backlog
from pipeline.decode.process import DecodeProcess, with_words
from pipeline.decode.slate import Note
from pipeline.log_queue import relay
from pipeline.stream.chunk import Chunk, Counts, End, Entry
from pipeline.stream.spec import StreamSpec

Clock = Callable[[], float]
Launch = Callable[[StreamSpec], DecodeProcess]
START_S = 60.0  # to the first sign of life: a machine that starts dozens at once is slow at it


class Supervisor(ABC):
    """The state of one stream in its host."""

    def __init__(self, spec: StreamSpec, clock: Clock, *, launch: Launch = DecodeProcess) -> None:
        self._spec = spec
        self._clock = clock
        self._launch = launch
        self._process: DecodeProcess | None = None
        self._wanted = False  # a request that no chunk has answered yet
        self._stopping = False
        self._backlog = Backlog(spec)  # for the next requests
        self._chunks: list[Chunk] = []
        self._alive_s = 0.0  # last sign of life, or the request
        self._silence_s = START_S  # that is allowed
        self.ended = False
        self.memory_bytes = 0  # peak of its processes

    @property
    def done(self) -> bool:
        """Ended, and all of it told."""
        return self.ended and not self._backlog and not self._chunks

    @property
    def process(self) -> DecodeProcess | None:
        """What to watch for reading; another one once it was replaced."""
        return self._process

    @property
    def pid(self) -> int | None:
        """The decode process, for tests and for people."""
        return self._process.pid if self._process else None

    def request(self) -> None:
        """Exactly one chunk will come."""
        self._wanted = True
        self._alive_s = self._clock()
        self._serve()

    def stop(self) -> None:
        """Come to an end; chunks that are asked for until then still come."""
        self._stopping = True
        if self._process:
            self._process.stop()
        elif not self.ended:
            self._end("stopped")

    def read(self) -> None:
        """The process has written, or died."""
        assert self._process
        self._alive_s = self._clock()  # half a chunk is a sign too: we may have been away for long
        self._silence_s = self._spec.stall_s
        try:
            messages, more = self._process.read()
        except ValueError as error:
            self._fail("crashed", f"{self._process.kill()}; {error}")
            return
        for message in messages:
            relay(message.lines, stream=self._spec.stream)
            if message.entries and not self.ended:
                self._take(message.entries)
        if not more and not self.ended:
            self._fail("crashed", self._process.kill())

    def wake_s(self) -> float | None:
        """When `pass_time` has something to do, unless there is a sign of life until then."""
        return self._alive_s + self._silence_s if self._process and self._wanted else None

    def pass_time(self) -> None:
        """Kill a process that was asked and shows no sign of life; called when time has passed."""
        if self._silent:
            self._look()
        if self._process and self._silent:
            self._process.kill()
            silence = f"no sign of life for {self._silence_s:g} s"
            self._fail("stalled", with_words(silence, self._process.last_words))

    def pop(self) -> list[Chunk]:
        """The chunks that are ready, and trouble, which nobody asks for."""
        chunks, self._chunks = self._chunks, []
        return chunks

    def close(self) -> None:
        """Kill the process."""
        if self._process:
            self._process.kill()
            self._process = None

    def _start(self, spec: StreamSpec) -> None:
        try:
            self._process = self._launch(spec)
        except OSError as error:
            self._lost("crashed", f"no decode process could be started: {error.strerror}")
            return
        self._alive_s = self._clock()
        self._silence_s = max(START_S, spec.stall_s)
        self._serve()

    @property
    def _silent(self) -> bool:
        """For longer than it may be, as far as is known."""
        wake_s = self.wake_s()
        return self._process is not None and wake_s is not None and self._clock() >= wake_s

    def _look(self) -> None:
        assert self._process
        self._see(self._process.look())

    def _fail(self, kind: str, detail: str) -> None:
        """Its process is dead."""
        assert self._process
        self._see(self._process.note)
        self._process = None
        self._lost(kind, detail)

    def _take(self, entries: tuple[Entry, ...]) -> None:
        entries = self._admit(entries)
        self._backlog.add(entries, self._clock())
        if entries and isinstance(entries[-1], End):
            self.ended = True
            self.close()
        self._serve()

    def _serve(self) -> None:
        """Answer the request with what is there, or have the process answer it."""
        if self._wanted and self._backlog:
            self._chunks.append(Chunk(self._backlog.take(self._clock())))
            self._wanted = False
        elif self._wanted and self._process:
            self._process.request()

    def _say(self, *entries: Entry) -> None:
        """Something of our own, to be told like what the process hands over, in one chunk."""
        self._backlog.add(entries, self._clock())
        self._serve()

    def _end(
        self,
        outcome: str,
        detail: str = "",
        *,
        unfinished: bool = False,
        before: Sequence[Entry] = (),
    ) -> None:
        """The end of a stream whose process cannot say it, and what is told `before` it."""
        self.ended = True
        stream, counts = self._spec.stream, self.counts
        frames = (counts.decoded, counts.lost, self.memory_bytes, unfinished)
        self._say(*before, End(stream, outcome, detail, *frames, sampled=counts.sampled))

    def _see(self, note: Note) -> None:
        """How the process fares, or did when it died."""
        self._alive_s = max(self._alive_s, note.alive_s)
        self.memory_bytes = max(self.memory_bytes, note.memory_bytes)

    @property
    @abstractmethod
    def counts(self) -> Counts:
        """Frames of the stream up to what was handed over."""

    @abstractmethod
    def _admit(self, entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
        """See a chunk's entries go by; what of them is passed on."""

    @abstractmethod
    def _lost(self, kind: str, detail: str) -> None:
        """The process is gone: it hung (`stalled`) or died (`crashed`)."""
