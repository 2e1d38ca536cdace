"""A shard's side of its feed: asks for each stream's chunks one at a time, sorts what comes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pipeline.stream.chunk import Chunk, Entry, Trouble
from pipeline.stream.feed import Feed
from pipeline.stream.spec import StreamSpec


class Intake:
    """Of the streams that are open."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self._asked: set[str] = set()
        self._left: set[str] = set()

    def open(self, spec: StreamSpec) -> None:
        """Begin a stream."""
        self._feed.open(spec)

    def ask(self, streams: Iterable[str]) -> None:
        """Have the next chunk of these come; of those that are asked already it does."""
        for stream in streams:
            if stream not in self._asked:
                self._asked.add(stream)
                self._feed.request(stream)

    def take(self, timeout_s: float) -> Iterator[tuple[str, Trouble | list[Entry]]]:
        """What arrives in time: a stream's trouble, or one of its chunks."""
        for chunk in self._feed.wait(timeout_s):
            yield from self._sorted(chunk)

    def stop(self, streams: Iterable[str]) -> None:
        """End these soon."""
        for stream in streams:
            self._feed.stop(stream)

    def leave(self, stream: str) -> None:
        """Whatever still comes of it, nobody waits for it."""
        self._left.add(stream)

    def _sorted(self, chunk: Chunk) -> Iterator[tuple[str, Trouble | list[Entry]]]:
        shares: dict[str, list[Entry]] = {}
        for entry in chunk.entries:
            if entry.stream in self._left:
                continue
            if isinstance(entry, Trouble):
                yield entry.stream, entry
            else:
                shares.setdefault(entry.stream, []).append(entry)
        for stream, entries in shares.items():
            self._asked.discard(stream)
            yield stream, entries
