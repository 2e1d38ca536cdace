"""A feed of decode processes on this machine: implements `pipeline.stream.feed.Feed`.

One thread watches them all; nothing here waits longer than `wait` was asked to.
"""

from __future__ import annotations

import time
from random import Random

from pipeline.decode.alarms import Alarms
from pipeline.decode.live import LiveSupervisor
from pipeline.decode.pipes import Pipes
from pipeline.decode.process import DecodeProcess
from pipeline.decode.recorded import RecordedSupervisor
from pipeline.decode.supervisor import Clock, Launch, Supervisor
from pipeline.secrets import remember_url
from pipeline.stream.chunk import Chunk
from pipeline.stream.spec import StreamSpec


class DecodeHost:
    """Hosts the decoders of any number of streams, and looks at those that something has happened
    to: of a thousand cameras most have no news at any one time."""

    def __init__(
        self,
        *,
        clock: Clock = time.monotonic,
        rng: Random | None = None,
        launch: Launch = DecodeProcess,
    ) -> None:
        """
        Args:
            clock: seconds, monotonic.
            rng: jitter of reconnections.
            launch: starts a stream's decode process.
        """
        self._launch = launch
        self._clock = clock
        self._rng = rng or Random()
        self._streams: dict[str, Supervisor] = {}
        self._touched: dict[str, None] = {}  # in order
        self._pipes = Pipes()
        self._alarms = Alarms()

    def open(self, spec: StreamSpec) -> None:
        """Start decoding a stream, after `spec.cursor` where it has one."""
        if spec.stream in self._streams:
            raise ValueError(f"stream {spec.stream!r} is open already")
        for url in (spec.url, *spec.join):
            remember_url(url)
        self._streams[spec.stream] = (
            LiveSupervisor(spec, self._clock, self._rng, launch=self._launch)
            if spec.live
            else RecordedSupervisor(spec, self._clock, launch=self._launch)
        )
        self._touch(spec.stream)

    def request(self, stream: str) -> None:
        """Ask for the stream's next chunk; exactly one comes."""
        self._touch(stream).request()

    def wait(self, timeout_s: float) -> list[Chunk]:
        """The chunks that have arrived, and trouble; maybe none within `timeout_s`."""
        deadline_s = self._clock() + timeout_s
        patience_s = 0.0  # read what is there before judging who is silent
        while True:
            self._note()
            for stream in self._pipes.ready(patience_s):
                self._touch(stream).read()
            for stream in self._alarms.due(self._clock()):
                self._touch(stream).pass_time()
            chunks = self._collect()
            left_s = deadline_s - self._clock()
            if chunks or left_s <= 0:
                return chunks
            patience_s = min(left_s, max(0.0, self._alarms.next_s - self._clock()))

    def stop(self, stream: str) -> None:
        """End a stream soon; without effect once it has ended."""
        if stream in self._streams:
            self._touch(stream).stop()

    def close(self) -> None:
        """Kill all decoders."""
        self._pipes.close()
        for supervisor in self._streams.values():
            supervisor.close()
        self._streams.clear()

    def pid(self, stream: str) -> int | None:
        """The stream's decode process, while it has one."""
        return self._streams[stream].pid

    def _touch(self, stream: str) -> Supervisor:
        """Something happens to it now."""
        self._touched[stream] = None
        return self._streams[stream]

    def _note(self) -> None:
        """What is to be watched of those that something has happened to."""
        here = {name: self._streams[name] for name in self._touched if name in self._streams}
        gone = dict.fromkeys(self._touched.keys() - here.keys())
        self._pipes.watch({**gone, **{name: one.process for name, one in here.items()}})
        for name, supervisor in here.items():
            self._alarms.set(name, supervisor.wake_s())

    def _collect(self) -> list[Chunk]:
        chunks: list[Chunk] = []
        for stream in self._touched:
            supervisor = self._streams[stream]
            chunks += supervisor.pop()
            if supervisor.done:
                supervisor.close()
                self._alarms.drop(stream)
                del self._streams[stream]
        self._note()
        self._touched.clear()
        return chunks
