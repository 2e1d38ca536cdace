"""The contract of a sink: messages and progress become visible together, or not at all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from pipeline.records.commit import Commit
from pipeline.records.filter import ALL, Filter
from pipeline.records.record import Message, StoredRecord
from pipeline.sinks.reading import Plan, Reading
from pipeline.stream.progress import Progress


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a commit did: new records, records that were there already with the same payload, and
    records whose id was there with another payload (a bug, counted and never written)."""

    written: int = 0
    repeated: int = 0
    conflicting: int = 0

    def __add__(self, other: Receipt) -> Receipt:
        return Receipt(
            self.written + other.written,
            self.repeated + other.repeated,
            self.conflicting + other.conflicting,
        )


@dataclass(frozen=True, slots=True)
class Held:
    """How many records a topic has. Not exact: at most so many, since ends of transactions and
    repeats are counted too.

    Attributes:
        max_age_s, max_bytes: what a database keeps of it; None: all.
        removed: records that a database has removed for that.
    """

    records: int
    exact: bool
    max_age_s: float | None = None
    max_bytes: int | None = None
    removed: int = 0


class Sink(Protocol):
    """One writer. One call at a time, from whatever thread, and `interrupt` beside it; each is one
    attempt in bounded time.

    A `SinkError` that is `retryable` says that the sink is away or busy: the same call, unchanged,
    may succeed later. `pipeline.sinks.patient.PatientSink` waits for that.
    """

    def claim(self, jobs: Mapping[str, str], *, fresh: bool = False) -> dict[str, Progress]:
        """Take streams over: mints a higher epoch for each, atomically, and returns where each
        stands in its job (`jobs`: stream -> job). Whoever held a stream before, for whatever job,
        is refused from now on (`FencedError`). One whose job is done is left as it is. `fresh`
        forgets progress, not records. Called before the first frame, and again after a restart."""
        ...

    def resume(self, held: Sequence[Progress]) -> dict[str, Progress]:
        """Go on as the writer that held streams, after its death: take back each of which its epoch
        is still the newest, and return where it stands. The others are left as they are and are not
        in the answer. `held`: of each the job and the epoch. Only before a `claim`, and for what
        that writer has kept."""
        ...

    def commit(self, commits: Sequence[Commit]) -> Receipt:
        """Messages and progress of some chunks, of any streams, in one transaction; those of one
        stream in their order. A retry with the same `progress.sequence`, alone or in other company,
        after an unknown outcome writes nothing twice. Raises `SinkError`; `RecordsTooLarge` where
        all could be done without some of the messages."""
        ...

    def publish(self, messages: Sequence[Message]) -> Receipt:
        """Messages that belong to no stream's progress (label sets). At least once, same ids."""
        ...

    def interrupt(self) -> None:
        """Wait no longer: a call that waits raises `SinkError` soon, and so do those after it. May
        come from any thread."""
        ...

    def close(self) -> None:
        """Flush and let go. Never called after a kill."""
        ...


class Reader(Protocol):
    """Reads either sink as a consumer would: committed records only, each id once."""

    def topics(self) -> list[str]:
        """Topics that exist, without the prefix, sorted."""
        ...

    def holds(self) -> Mapping[str, Held]:
        """Topics that exist, sorted, and how many records each has."""
        ...

    def records(
        self,
        topics: Sequence[str] = (),
        *,
        where: Filter = ALL,
        from_beginning: bool = True,
        follow: bool = False,
        repeats: bool = False,
    ) -> Iterator[StoredRecord]:
        """Records in order of publishing (per partition on Kafka); all data topics when none is
        named. Others than those of `where` are not read, as far as the sink can tell where they
        lie. Ends at what was there when it began, unless `follow`. `repeats`: all that lies there,
        as no consumer wants it."""
        ...

    def oldest_us(self, topic: str, stream: str) -> int | None:
        """When the oldest record was published that is left where the stream's records of a topic
        lie, microseconds since the epoch; None where none was removed for its age."""
        ...

    def read(self, plan: Plan) -> Reading:
        """The same as a pass whose reader says what it is through with. Raises `UsageError` where
        this kind of sink cannot."""
        ...

    def progress(self, job: str | None = None) -> Iterable[Progress]:
        """Latest progress of every job of every stream (of one job)."""
        ...

    def close(self) -> None: ...
