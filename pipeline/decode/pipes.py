"""Which streams' decode processes have written. Each is watched once, not at every look."""

from __future__ import annotations

import selectors
import time
from collections.abc import Mapping

from pipeline.decode.process import DecodeProcess


class Pipes:
    """The pipes of a host's decode processes."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._watched: dict[str, DecodeProcess] = {}

    def watch(self, processes: Mapping[str, DecodeProcess | None]) -> None:
        """These streams have these processes now; None: they have none."""
        changed = {
            stream: process
            for stream, process in processes.items()
            if process is not self._watched.get(stream)
        }
        for stream in changed:  # all first: a new process may have a dead one's descriptor
            if old := self._watched.pop(stream, None):
                self._selector.unregister(old.fd)
        for stream, process in changed.items():
            if process:
                self._selector.register(process.fd, selectors.EVENT_READ, stream)
                self._watched[stream] = process

    def ready(self, timeout_s: float) -> list[str]:
        """Streams whose process has written, or died; maybe none within the time."""
        if not self._watched:
            time.sleep(timeout_s)
            return []
        return [key.data for key, _ in self._selector.select(timeout_s)]

    def close(self) -> None:
        """Watch nothing any more."""
        self._selector.close()
        self._watched.clear()
