"""Recordings played one after the other through the decode processes that replay uses.

Specs in -> their entries in order; the next recording's decoder starts while one is read. Rendered
scenes are played here: nothing in them can hang, and a process takes as long to start as they do.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator

from pipeline.decode.collector import Collector
from pipeline.decode.host import DecodeHost
from pipeline.decode.playback import Playback
from pipeline.decode.track import Glimpse
from pipeline.stream.chunk import End, Entry
from pipeline.stream.spec import StreamSpec
from pipeline.synthetic.uri import SCHEME

_PATIENCE_S = 0.25


class Footage:
    """A decode host that is read one stream at a time. `close` it."""

    def __init__(self) -> None:
        self._host = DecodeHost()
        self._queues: dict[str, deque[Entry]] = {}
        self._asked: set[str] = set()

    def prepare(self, spec: StreamSpec) -> None:
        """Start decoding; one chunk at most waits until `entries` is asked for it."""
        if spec.stream not in self._queues and not spec.url.startswith(SCHEME):
            self._queues[spec.stream] = deque()
            self._host.open(spec)
            self._request(spec.stream)

    def entries(self, spec: StreamSpec) -> Iterator[Entry]:
        """Everything of one recording, its End last."""
        if spec.url.startswith(SCHEME):
            yield from _rendered(spec)
            return
        self.prepare(spec)
        queue = self._queues[spec.stream]
        while True:
            while queue:
                entry = queue.popleft()
                if not isinstance(entry, End):
                    yield entry
                    continue
                del self._queues[spec.stream]  # first: whoever reads may raise, and ask again
                yield entry
                return
            self._request(spec.stream)
            self._receive()

    def stop(self, spec: StreamSpec) -> None:
        """No more frames of it are wanted; its End still comes. A scene is rendered to its end."""
        self._host.stop(spec.stream)

    def close(self) -> None:
        """Kill the decoders."""
        self._host.close()

    def _request(self, stream: str) -> None:
        if stream not in self._asked:
            self._asked.add(stream)
            self._host.request(stream)

    def _receive(self) -> None:
        for chunk in self._host.wait(_PATIENCE_S):
            for stream in {entry.stream for entry in chunk.entries}:
                self._asked.discard(stream)
            for entry in chunk.entries:
                self._queues[entry.stream].append(entry)


def _rendered(spec: StreamSpec) -> Iterator[Entry]:
    collector = Collector(spec.chunk_ms, time.monotonic)
    for item in Playback(spec, lambda: time.time_ns() // 1000).items():
        if item is not None and not isinstance(item, Glimpse):
            collector.add(item)
        if collector.full:
            yield from collector.take()
