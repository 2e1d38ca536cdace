"""The chunks of one stream on its engine: a few at most, and what of them is in the sink."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from pipeline.engine.presence import Presence
from pipeline.stream.chunk import End, Entry, sampled_in

QUEUED_CHUNKS = 2  # one in work and one ahead; a killed engine does those again, and the one before


class ChunkQueue:
    """First in, first out.

    Attributes:
        closing: the stream's End is in; nothing more will come.
        presence: whether its camera is there, as far as chunks have come.
    """

    def __init__(self, most: int = QUEUED_CHUNKS) -> None:
        """`most`: chunks that are here at a time."""
        self._most = most
        self._chunks: deque[deque[Entry]] = deque()
        self._unconfirmed: deque[int] = deque()  # sampled frames of those not yet committed
        self.closing = False
        self.presence = Presence()

    @property
    def hungry(self) -> bool:
        """Room for another chunk."""
        return not self.closing and len(self._chunks) < self._most

    @property
    def ended(self) -> bool:
        """All of the stream has been worked on."""
        return self.closing and not self._chunks

    @property
    def idle(self) -> bool:
        """Nothing to work on until another chunk comes."""
        return not self.closing and not self._chunks

    @property
    def unconfirmed(self) -> int:
        """Sampled frames that came and are not committed, those that were dropped among them."""
        return sum(self._unconfirmed)

    def accept(self, entries: Sequence[Entry]) -> None:
        """Put this stream's entries of one chunk in."""
        self._unconfirmed.append(sum(sampled_in(entry) for entry in entries))
        self._chunks.append(deque(entries))
        for entry in entries:
            self.presence.see(entry)
        self.closing = isinstance(entries[-1], End)

    def first(self) -> deque[Entry] | None:
        """What is left of the chunk in work; None where there is none."""
        return self._chunks[0] if self._chunks else None

    def pop(self) -> None:
        """The chunk in work is done."""
        self._chunks.popleft()

    def confirm(self) -> None:
        """The oldest chunk that was done is in the sink."""
        self._unconfirmed.popleft()
