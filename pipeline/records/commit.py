"""What goes to a sink whole or not at all, on behalf of one stream."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.records.record import Message
from pipeline.stream.progress import Progress


@dataclass(frozen=True, slots=True)
class Link:
    """What makes a commit of a live stream whole without its lane: it may be kept on disk, and put
    behind another one than it was made behind.

    Attributes:
        frames, ledger: of the progress before it.
        operators: topic -> operator whose records these are.
    """

    frames: int
    ledger: Mapping[str, Mapping[str, int]]
    operators: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Commit:
    """One chunk of one stream through all operators, or trouble, which waits for none.

    Attributes:
        messages: in order.
        progress: behind them.
        link: to the commit before; None of a stream that can wait.
        skips, lost: commits before this one that were kept and lost, and are told of here; computed
            frames of those.
    """

    messages: tuple[Message, ...]
    progress: Progress
    link: Link | None = None
    skips: int = 0
    lost: int = 0

    @property
    def size_bytes(self) -> int:
        """Of its payloads."""
        return sum(len(message.value) for message in self.messages)
