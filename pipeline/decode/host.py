"""A feed of decode processes on this machine: implements `pipeline.stream.feed.Feed`.

One thread watches them all; nothing here waits longer than `wait` was asked to.
"""

from __future__ import annotations

import selectors
import time
from random import Random

from pipeline.decode.live import LiveSupervisor
from pipeline.decode.recorded import RecordedSupervisor
from pipeline.decode.supervisor import Clock, Supervisor
from pipeline.secrets import remember_url
from pipeline.stream.chunk import Chunk
from pipeline.stream.spec import StreamSpec


class DecodeHost:
    """Hosts the decoders of any number of streams."""

    def __init__(self, *, clock: Clock = time.monotonic, rng: Random | None = None) -> None:
        """
        Args:
            clock: seconds, monotonic.
            rng: jitter of reconnections.
        """
        self._clock = clock
        self._rng = rng or Random()
        self._streams: dict[str, Supervisor] = {}

    def open(self, spec: StreamSpec) -> None:
        """Start decoding a stream, after `spec.cursor` where it has one."""
        if spec.stream in self._streams:
            raise ValueError(f"stream {spec.stream!r} is open already")
        for url in (spec.url, *spec.join):
            remember_url(url)
        self._streams[spec.stream] = (
            LiveSupervisor(spec, self._clock, self._rng)
            if spec.live
            else RecordedSupervisor(spec, self._clock)
        )

    def request(self, stream: str) -> None:
        """Ask for the stream's next chunk; exactly one comes."""
        self._streams[stream].request()

    def wait(self, timeout_s: float) -> list[Chunk]:
        """The chunks that have arrived, and trouble; maybe none within `timeout_s`."""
        deadline_s = self._clock() + timeout_s
        patience_s = 0.0  # read what is there before judging who is silent
        while True:
            self._read(patience_s)
            for supervisor in list(self._streams.values()):
                supervisor.pass_time()
            chunks = self._collect()
            left_s = deadline_s - self._clock()
            if chunks or left_s <= 0:
                return chunks
            patience_s = min(left_s, self._next_wake_s())

    def stop(self, stream: str) -> None:
        """End a stream soon; without effect once it has ended."""
        if stream in self._streams:
            self._streams[stream].stop()

    def close(self) -> None:
        """Kill all decoders."""
        for supervisor in self._streams.values():
            supervisor.close()
        self._streams.clear()

    def pid(self, stream: str) -> int | None:
        """The stream's decode process, while it has one."""
        return self._streams[stream].pid

    def _read(self, timeout_s: float) -> None:
        with selectors.DefaultSelector() as selector:
            for supervisor in self._streams.values():
                if supervisor.fd is not None:
                    selector.register(supervisor.fd, selectors.EVENT_READ, supervisor)
            if not selector.get_map():
                time.sleep(timeout_s)
                return
            for key, _ in selector.select(timeout_s):
                key.data.read()

    def _collect(self) -> list[Chunk]:
        chunks = [chunk for supervisor in self._streams.values() for chunk in supervisor.pop()]
        for stream, supervisor in list(self._streams.items()):
            if supervisor.done:
                supervisor.close()
                del self._streams[stream]
        return chunks

    def _next_wake_s(self) -> float:
        wakes_s = [supervisor.wake_s() for supervisor in self._streams.values()]
        due_s = min((wake_s for wake_s in wakes_s if wake_s is not None), default=None)
        return float("inf") if due_s is None else max(0.0, due_s - self._clock())
