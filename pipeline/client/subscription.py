"""Reading a sink's records as typed results, in a loop: `for result in subscribe(...)`.

Where and what -> results, until nobody asks any more. Knows no sink by name; what reads and decodes
is imported when the loop begins.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from operators.errors import UsageError
from operators.moment import microseconds
from pipeline.errors import NoDatabase, SinkError
from pipeline.records.filter import Filter
from pipeline.records.jump import Jump
from pipeline.sinks.reading import Offsets, Plan, Reading, nobody_wrote

if TYPE_CHECKING:
    from pipeline.client.decoding import Decoder
    from pipeline.client.result import Result
    from pipeline.records.record import StoredRecord
    from pipeline.sinks.sink import Reader

log = logging.getLogger(__name__)

LOOK_S = 5.0  # between two tries to read label sets of a sink that is away

Start = Literal["beginning", "latest"] | datetime | Offsets


def subscribe(
    uri: str,
    *,
    topics: Sequence[str] = (),
    streams: Sequence[str] = (),
    start: Start = "beginning",
    group: str | None = None,
    follow: bool = True,
    strict: bool = False,
    settings: Mapping[str, Any] | None = None,
    on_jump: Callable[[Jump], None] | None = None,
) -> Subscription:
    """Records of a sink, each once, as typed results: `for result in subscribe(...)`, or `async
    for`.

    Args:
        uri: `sqlite:PATH` or `kafka://HOST:PORT[,HOST:PORT]?topic_prefix=dinostream`.
        topics: without the prefix; all but `progress` and `claims` where none is named.
        streams: ids of streams; all where none is named. Label sets are nobody's. One that nobody
            has written is waited for, or an error without `follow`.
        start: the `beginning`, the `latest` (what comes from now on), a time with a zone (published
            then or later), or offsets as `Subscription.offsets` gives them.
        group: Kafka's consumer group. Its members share the partitions, what is done is kept by the
            broker, and `start` counts only where nothing is kept yet.
        follow: wait for more; else end at what was there at the beginning.
        strict: stop at a record that is not understood (`UnreadableRecord`), instead of giving it
            as `Raw`.
        settings: further settings of a Kafka sink, as the configuration's `sink.settings`.
        on_jump: is told of every place that is gone: records that were deleted before they were
            read, a topic that was made anew. A warning in the log where it is not given.

    Raises:
        UsageError: something that cannot be; what needs the sink for it is known when the loop
            begins.
    """
    if isinstance(topics, str) or isinstance(streams, str):
        raise UsageError("topics and streams are lists of names, such as topics=['depth']")
    since_us, from_beginning, offsets = _begin(start)
    plan = Plan(
        tuple(topics),
        Filter(tuple(streams), since_us=since_us),
        from_beginning=from_beginning,
        offsets=offsets,
        follow=follow,
        group=group,
        on_jump=on_jump or _warn,
    )
    return Subscription(uri, plan, settings=settings, strict=strict)


@dataclass(frozen=True, slots=True)
class Counts:
    """What became of the records that a subscription met.

    Attributes:
        delivered: given.
        unread: of those, given as `Raw`.
        repeated: left out, as their id had been given.
        stale: left out, as a newer epoch of their stream had been given.
    """

    delivered: int = 0
    unread: int = 0
    repeated: int = 0
    stale: int = 0


class Subscription:
    """One pass over records, by `for` or by `async for`; see `subscribe`.

    A result is done when the next one is asked for, which is when the loop's body has ended. A body
    that raises, breaks or returns has not: in a group its record comes again. Whoever leaves on
    purpose says `done()` first.
    """

    def __init__(
        self, uri: str, plan: Plan, *, settings: Mapping[str, Any] | None, strict: bool
    ) -> None:
        self._uri = uri
        self._plan = plan
        self._settings = settings
        self._strict = strict
        self._cut = threading.Event()
        self._begun = False
        self._delivered = 0
        self._reading: Reading | None = None
        self._decoder: Decoder | None = None
        self._given: StoredRecord | None = None

    @property
    def offsets(self) -> dict[tuple[str, int], int]:
        """Where reading stands: topic and partition -> offset of the next record, behind what is
        done. Keep it with your results, and hand it to `subscribe` as `start`."""
        return {**self._plan.offsets, **(self._reading.offsets if self._reading else {})}

    @property
    def counts(self) -> Counts:
        """So far."""
        if self._reading is None or self._decoder is None:
            return Counts()
        reading = self._reading
        return Counts(self._delivered, self._decoder.unread, reading.repeated, reading.stale)

    def done(self) -> None:
        """The result that was given last is done, although the loop's body has not ended."""
        if self._given and self._reading:
            self._reading.done(self._given)
        self._given = None

    def stop(self) -> None:
        """End the loop when its body has ended, or at once where it waits. From any thread."""
        self._cut.set()
        if self._reading:
            self._reading.interrupt()

    def __iter__(self) -> Generator[Result]:
        if self._begun:
            raise UsageError("a subscription is read once; subscribe again, maybe at its offsets")
        self._begun = True
        try:
            reader = self._open()
        except NoDatabase:
            if self._cut.is_set():
                return
            raise
        with closing(reader), closing(reader.read(self._plan)) as reading:
            yield from self._read(reader, reading)

    async def __aiter__(self) -> AsyncIterator[Result]:
        """The same in a thread of its own, which ends with the loop, however that ends."""
        results, loop = iter(self), asyncio.get_running_loop()
        with ThreadPoolExecutor(1, thread_name_prefix="subscription") as thread:
            try:
                while result := await loop.run_in_executor(thread, next, results, None):
                    yield result
            finally:
                self.stop()
                await asyncio.shield(loop.run_in_executor(thread, results.close))

    def _open(self) -> Reader:
        from pipeline.sinks.uri import await_reader, open_reader

        if not self._plan.follow:
            return open_reader(self._uri, settings=self._settings)
        return await_reader(
            self._uri, settings=self._settings, tell=_say_what_is_waited_for, cut=self._cut
        )

    def _read(self, reader: Reader, reading: Reading) -> Iterator[Result]:
        from pipeline.client.decoding import Decoder
        from pipeline.client.labels import LabelSets

        self._reading, self._decoder = reading, Decoder(LabelSets(reader), strict=self._strict)
        if self._cut.is_set():
            return
        for record in reading:
            result = self._decoded(self._decoder, record)
            if result is None:
                return
            self._given, self._delivered = record, self._delivered + 1
            yield result
            self.done()
        if self._plan.follow or self._delivered:
            return
        if unknown := nobody_wrote(self._plan.where.streams, reader):
            raise UsageError(unknown)

    def _decoded(self, decoder: Decoder, record: StoredRecord) -> Result | None:
        """Its label set may have to be looked up: who follows waits for that; None once stopped."""
        while not self._cut.is_set():
            try:
                return decoder(record)
            except SinkError as error:
                if not (error.retryable and self._plan.follow):
                    raise
                log.warning("label sets cannot be read; retrying: %s", error)
                self._cut.wait(LOOK_S)
        return None


def _begin(start: Start) -> tuple[int | None, bool, Offsets]:
    """Time of publishing, whether from the beginning, offsets."""
    if start in ("beginning", "latest"):
        return None, start == "beginning", {}
    if isinstance(start, datetime):
        if start.tzinfo is None:
            raise UsageError(f"start {start} has no zone; say datetime(..., tzinfo=UTC)")
        return microseconds(start), True, {}
    if isinstance(start, Mapping):
        for place, offset in start.items():
            _require_place(place, offset)
        return None, True, dict(start)
    raise UsageError(
        f"start is {start!r}; allowed are 'beginning', 'latest', a time with a zone, and offsets "
        "such as {('depth', 0): 17}"
    )


def _require_place(place: Any, offset: Any) -> None:
    match place, offset:
        case (str(), int()), int() if offset >= 0:
            return
    raise UsageError(
        f"start has {place!r}: {offset!r}; offsets are (topic, partition): number, such as "
        "{('depth', 0): 17}, and a SQLite file's partition is 0"
    )


def _warn(jump: Jump) -> None:
    log.warning("%s", jump)


def _say_what_is_waited_for(why: str) -> None:
    log.warning("%s. Waiting for it", why)
