"""What was made and may be asked for again, as far as there is room."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable


class Album:
    """Bytes by their keys; whatever nobody has asked for longest goes first. From any thread."""

    def __init__(self, room_bytes: int) -> None:
        self._room_bytes = room_bytes
        self._held: OrderedDict[Hashable, bytes] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def get(self, key: Hashable) -> bytes | None:
        """What lies there."""
        with self._lock:
            if key in self._held:
                self._held.move_to_end(key)
            return self._held.get(key)

    def put(self, key: Hashable, data: bytes) -> None:
        """Lay it there; it stays even where it alone has no room."""
        with self._lock:
            self._bytes += len(data) - len(self._held.pop(key, b""))
            self._held[key] = data
            while self._bytes > self._room_bytes and len(self._held) > 1:
                _, gone = self._held.popitem(last=False)
                self._bytes -= len(gone)
