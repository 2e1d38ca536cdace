"""The contract of one pass over a sink's records: a plan in, records out, word back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from operators.errors import UsageError
from pipeline.records.filter import ALL, Filter, unknown_stream
from pipeline.records.jump import Jump
from pipeline.records.record import StoredRecord

if TYPE_CHECKING:
    from pipeline.sinks.sink import Reader

Offsets = Mapping[tuple[str, int], int]
"""Topic without its prefix, and partition (0 in SQLite) -> offset of the next record."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a pass reads.

    Attributes:
        topics: all data topics where none is named.
        where: which of their records.
        from_beginning: what was there before, too.
        offsets: where to begin instead, where it is named.
        follow: wait for more, instead of ending at what was there at the beginning.
        repeats: all that lies there, records that were there before among them.
        group: consumer group whose members share the partitions and go on where they were; only
            where that is nowhere yet does it begin as the rest of the plan says. Kafka alone.
        on_jump: is told of every place that is gone.
    """

    topics: tuple[str, ...] = ()
    where: Filter = ALL
    from_beginning: bool = True
    offsets: Offsets = field(default_factory=dict)
    follow: bool = False
    repeats: bool = False
    group: str | None = None
    on_jump: Callable[[Jump], None] = lambda jump: None

    def __post_init__(self) -> None:
        if self.group is not None and not (self.group and self.follow):
            raise UsageError(
                f"group {self.group!r}: a group has a name and no end to stop at; follow it"
            )

    @property
    def named(self) -> list[str]:
        """Topics that have to be known."""
        return [*self.topics, *(topic for topic, _ in self.offsets)]


class Reading(Protocol):
    """One pass. From one thread at a time, and `interrupt` beside it."""

    @property
    def offsets(self) -> Offsets:
        """Behind what is done, of every partition that had something."""
        ...

    @property
    def repeated(self) -> int:
        """Records that were not given because their id had been there."""
        ...

    @property
    def stale(self) -> int:
        """Records that were not given because a newer epoch had been there."""
        ...

    def __iter__(self) -> Iterator[StoredRecord]:
        """The records, once. Raises `SinkError` where they cannot be read."""
        ...

    def done(self, record: StoredRecord) -> None:
        """Whoever got this record, the last that was given, is through with it."""
        ...

    def interrupt(self) -> None:
        """Wait no longer: the iteration ends soon. May come from any thread."""
        ...

    def close(self) -> None:
        """Let go, and in a group say what is done."""
        ...


def nobody_wrote(streams: Sequence[str], reader: Reader) -> str:
    """That nobody has written one of these streams, and which there are; "" where all were."""
    known = {one.stream for one in reader.progress()} if streams else set()
    return next((unknown_stream(name, known) for name in streams if name not in known), "")
