"""A sink's address -> the room that its page shows, open from the first look on."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

from operators.errors import UsageError
from pipeline.secrets import mask_url
from pipeline.sinks.address import SqliteAddress, parse_sink_uri
from pipeline.view.pictures import Pictures
from pipeline.view.room import Room, Told

KEEP_BYTES = 2 << 30


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be looked at.

    Attributes:
        sink: URI.
        media: footage that its records are of: files, folders, http(s) and s3 addresses, tapes.
        since_us: of a Kafka sink, records that were published then or later; microseconds since
            the epoch.
        keep_bytes: of a Kafka sink, so much of them is kept here at most.
        settings: further settings of its client.
    """

    sink: str
    media: Sequence[str] = ()
    since_us: int | None = None
    keep_bytes: int = KEEP_BYTES
    settings: Mapping[str, Any] = field(default_factory=dict)


@contextmanager
def opened(wish: Wish, told: Told = dict) -> Iterator[Room]:
    """Followed until the end of the block.

    Args:
        wish: what is to be looked at.
        told: of the job that writes it, where it is this one.

    Raises:
        UsageError: no such sink, or no such footage.
    """
    address = parse_sink_uri(wish.sink)
    with ExitStack() as stack:
        pictures = Pictures(wish.media)
        if not isinstance(address, SqliteAddress):
            raise UsageError("the page reads sqlite: sinks alone, as yet")
        room = Room(address.path, mask_url(wish.sink), pictures, told, str)
        yield stack.enter_context(room.open())


class Entrance:
    """Opens the room when somebody looks for the first time. From any thread."""

    def __init__(self, wish: Wish, told: Told = dict) -> None:
        """Arguments as of `opened`."""
        self._wish = wish
        self._told = told
        self._lock = threading.Lock()
        self._stack = ExitStack()
        self._room: Room | None = None

    def enter(self) -> Room:
        """Errors as of `opened`."""
        with self._lock:
            if self._room is None:
                self._room = self._stack.enter_context(opened(self._wish, self._told))
            return self._room

    def close(self) -> None:
        """Nobody looks any more."""
        self._stack.close()
