"""What goes to a sink whole or not at all, on behalf of one stream."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.records.record import Message
from pipeline.stream.progress import Progress


@dataclass(frozen=True, slots=True)
class Commit:
    """One chunk of one stream through all operators, or trouble, which waits for none."""

    messages: tuple[Message, ...]
    progress: Progress

    @property
    def size_bytes(self) -> int:
        """Of its payloads."""
        return sum(len(message.value) for message in self.messages)
