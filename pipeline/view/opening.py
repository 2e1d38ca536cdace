"""A sink's address -> the room that its page shows, open from the first look on."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

from pipeline.secrets import mask_url
from pipeline.sinks.address import SqliteAddress, parse_sink_uri
from pipeline.view.footage import Footage
from pipeline.view.mirror import mirrored
from pipeline.view.pictures import Pictures
from pipeline.view.room import Room, Told

KEEP_BYTES = 2 << 30
NO_FOOTAGE = Footage(())


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be looked at.

    Attributes:
        sink: URI.
        footage: what its records are of.
        since_us: of a Kafka sink, records that were published then or later; microseconds since
            the epoch.
        keep_bytes: of a Kafka sink, so much of them is kept here at most.
        settings: further settings of its client.
    """

    sink: str
    footage: Footage = NO_FOOTAGE
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
        UsageError: no such sink.
        SinkError: a cluster that does not answer.
    """
    address = parse_sink_uri(wish.sink)
    with ExitStack() as stack:
        pictures = Pictures(wish.footage)
        if isinstance(address, SqliteAddress):
            room = Room(address.path, mask_url(wish.sink), pictures, told, str)
        else:
            wanted = (wish.since_us, wish.keep_bytes)
            mirror = stack.enter_context(mirrored(wish.sink, wish.settings, *wanted))
            room = Room(mirror.path, mask_url(wish.sink), pictures, told, mirror.away)
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
