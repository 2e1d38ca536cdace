"""One pass over some topics of a cluster, as a careful consumer makes it: committed records, each
once. See `pipeline.sinks.reading.Reading`."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Collection, Iterator
from typing import Any, TypeVar

from kafka import TopicPartition
from kafka.errors import LogTruncationError, NoOffsetForPartitionError, OffsetOutOfRangeError

from pipeline.errors import SinkError
from pipeline.records.jump import Jump
from pipeline.records.once import Once
from pipeline.records.record import Message, StoredRecord
from pipeline.records.topics import CLAIMS, PROGRESS, data_topics
from pipeline.sinks.kafka.absence import Absence
from pipeline.sinks.kafka.client import close_consumer, open_reading_consumer
from pipeline.sinks.kafka.deadline import Deadline, Stalled
from pipeline.sinks.kafka.errors import explained, explaining
from pipeline.sinks.kafka.partition import partition_of
from pipeline.sinks.kafka.settings import KafkaSettings
from pipeline.sinks.reading import Plan

log = logging.getLogger(__name__)

POLL_MS = 500
NEW_TOPICS_S = 5.0  # how often `follow` looks for topics that were made since

T = TypeVar("T")
Places = dict[TopicPartition, int]


class KafkaReading:
    """Of whoever reads by himself."""

    def __init__(self, settings: KafkaSettings, plan: Plan) -> None:
        """Connects when it is iterated over."""
        self.offsets: dict[tuple[str, int], int] = {}
        self._settings = settings
        self._plan = plan
        self._once = Once()
        self._cut = threading.Event()
        self._assigned: set[TopicPartition] = set()
        self._strangers: set[str] = set()
        self._old_topics: set[str] = set()
        self._client: Any = None
        self._worked = False

    @property
    def repeated(self) -> int:
        return self._once.repeated

    @property
    def stale(self) -> int:
        return self._once.stale

    def __iter__(self) -> Iterator[StoredRecord]:
        try:
            self._open()
            yield from self._follow() if self._plan.follow else self._whole()
        except SinkError:
            if not self._cut.is_set():
                raise

    def done(self, record: StoredRecord) -> None:
        self._stand(record.message.topic, record.partition, record.offset + 1)

    def interrupt(self) -> None:
        self._cut.set()

    def close(self) -> None:
        if self._client:
            close_consumer(self._client)

    def _open(self) -> None:
        attempt_s = self._settings.attempt_s
        with explaining(self._settings, "connecting", attempt_s, cut=self._cut) as deadline:
            self._client = open_reading_consumer(self._settings, deadline, group=self._plan.group)
        self._old_topics = self._ask(self._client.topics)
        self._worked = True

    def _whole(self) -> Iterator[StoredRecord]:
        """What was there when this began."""
        self._assign()
        ends = self._ends(self._assigned)
        patience = self._patience()
        while self._behind(ends) and not self._cut.is_set():
            records = self._poll()
            if records:
                patience = self._patience()
            elif not patience.left_s:
                silence = Stalled("nothing arrived")
                raise explained(silence, self._settings, "reading records", patience.elapsed_s)
            for record in records:
                if record.offset < ends[TopicPartition(record.topic, record.partition)]:
                    yield from self._given(record)

    def _follow(self) -> Iterator[StoredRecord]:
        """Until nobody asks any more, topics that are made meanwhile included. Only at the start
        is a broker that does not answer taken for a wrong address."""
        self._assign()
        absence, looked_s = Absence(self._settings.where, self._cut), time.monotonic()
        while not self._cut.is_set():
            for record in absence.bear(self._poll, proof=bool) or ():
                yield from self._given(record)
            if time.monotonic() - looked_s > NEW_TOPICS_S:
                absence.bear(self._assign, proof=lambda _: True)
                looked_s = time.monotonic()

    def _assign(self) -> None:
        """Take in topics that were not there before."""
        new = self._ask(self._find) - self._assigned
        if not new:
            return
        self._assigned |= new
        self._client.assign(sorted(self._assigned))  # those it knows keep their positions
        self._begin(new)

    def _find(self) -> set[TopicPartition]:
        return {
            TopicPartition(topic, number)
            for name, topic in self._wanted().items()
            for number in self._numbers(name, topic)
        }

    def _wanted(self) -> dict[str, str]:
        """Topics of the plan that there are, and the broker's names for them."""
        named = {self._settings.name(topic): topic for topic in self._client.topics()}
        existing = {name: topic for name, topic in named.items() if name is not None}
        asked = self._plan.topics or data_topics(list(existing))
        return {name: existing[name] for name in asked if name in existing}

    def _numbers(self, name: str, topic: str) -> Collection[int]:
        """Partitions where records that are asked for may lie: a stream's own one, where it is the
        key. That is why a topic keeps its number of partitions."""
        numbers = sorted(self._client.partitions_for_topic(topic))
        streams = self._plan.where.streams
        if not streams or name in (PROGRESS, CLAIMS):
            return numbers
        return {partition_of(stream, numbers) for stream in streams}

    def _begin(self, partitions: set[TopicPartition]) -> None:
        """Go where this reading stood, else where the plan says; topics that are made meanwhile are
        read from their beginning."""
        offsets = {**self._plan.offsets, **self.offsets}
        named = {one: offsets[key] for one in partitions if (key := self._key(one)) in offsets}
        rest = partitions - named.keys()
        late = {
            one for one in rest if one.topic in self._old_topics and not self._plan.from_beginning
        }
        self._go({**named, **self._ends(late), **self._begins(rest - late)})
        firsts, ends = self._firsts(named.keys()), self._ends(named.keys())
        self._jump({p: at for p, at in named.items() if not firsts[p] <= at <= ends[p]})

    def _go(self, places: Places) -> None:
        for partition, offset in places.items():
            self._client.seek(partition, offset)

    def _begins(self, partitions: Collection[TopicPartition]) -> Places:
        """Where the first record lies that was published late enough. The last that was published
        early enough may lie anywhere: writers' clocks differ."""
        if self._plan.where.since_us is None:
            return self._firsts(partitions)
        # First where they end now: what is published while their times are asked for lies behind.
        ends = self._ends(partitions)
        since_ms = dict.fromkeys(partitions, self._plan.where.since_us // 1000)
        found = self._ask(lambda: self._client.offsets_for_times(since_ms)) if since_ms else {}
        return {one: found[one].offset if found[one] else ends[one] for one in partitions}

    def _firsts(self, partitions: Collection[TopicPartition]) -> Places:
        """What retention has left begins there."""
        return self._places(self._client.beginning_offsets, partitions)

    def _ends(self, partitions: Collection[TopicPartition]) -> Places:
        """Where what is committed ends."""
        return self._places(self._client.end_offsets, partitions)

    def _places(
        self, ask: Callable[[list[TopicPartition]], Places], partitions: Collection[TopicPartition]
    ) -> Places:
        return self._ask(lambda: ask(sorted(partitions))) if partitions else {}

    def _behind(self, ends: Places) -> list[TopicPartition]:
        return self._ask(lambda: [p for p, end in ends.items() if self._client.position(p) < end])

    def _poll(self) -> list[Any]:
        if not self._assigned:
            self._cut.wait(POLL_MS / 1000)
            return []
        return self._fetch(lambda: self._client.poll(timeout_ms=POLL_MS))

    def _fetch(self, poll: Callable[[], dict[TopicPartition, list[Any]]]) -> list[Any]:
        """The next records; none where a place had to be found first."""

        def attempt() -> Any:
            try:
                return poll()
            except (NoOffsetForPartitionError, OffsetOutOfRangeError, LogTruncationError) as error:
                return error

        polled = self._ask(attempt)
        if isinstance(polled, NoOffsetForPartitionError):
            self._begin(polled.args[0])
        elif isinstance(polled, OffsetOutOfRangeError):
            self._jump(polled.args[0])
        elif isinstance(polled, LogTruncationError):
            cut_off = polled.divergent_offsets.keys()
            self._jump({one: self.offsets.get(self._key(one), 0) for one in cut_off})
        else:
            return [record for records in polled.values() for record in records]
        return []

    def _jump(self, wanted: Places) -> None:
        """Offsets that are not there: before the first, of what retention deleted, or of a topic
        that was made anew, or lost its end: nobody can tell which, so it is read from its
        beginning."""
        firsts = self._firsts(wanted.keys())
        self._go(firsts)
        for partition, offset in wanted.items():
            self._stand(*self._key(partition), firsts[partition])
            jump = Jump(*self._key(partition), offset, firsts[partition])
            if jump.is_rewind:
                self._once.forget_epochs()
            self._plan.on_jump(jump)

    def _given(self, record: Any) -> Iterator[StoredRecord]:
        stored = self._stored(record)
        if stored is not None and self._delivers(stored):
            yield stored
        else:
            self._stand(*self._key(record), record.offset + 1)

    def _stand(self, topic: str, partition: int, offset: int) -> None:
        """What lies before is given and done, or left out."""
        self.offsets[topic, partition] = offset

    def _delivers(self, stored: StoredRecord) -> bool:
        message = stored.message
        return self._plan.where.takes(stored) and (
            self._plan.repeats
            or self._once.delivers(message.topic, message.headers, partition=stored.partition)
        )

    def _stored(self, record: Any) -> StoredRecord | None:
        """None for what is no record: a tombstone, or somebody else's message."""
        headers = {name: value.decode(errors="replace") for name, value in record.headers or ()}
        if "ce_id" not in headers:
            self._pass_over(record.topic)
        if "ce_id" not in headers or record.value is None:
            return None
        key = (record.key or b"").decode(errors="replace")
        message = Message(self._key(record)[0], key, headers, record.value)
        return StoredRecord(message, record.timestamp * 1000, record.offset, record.partition)

    def _key(self, place: Any) -> tuple[str, int]:
        """Our name of a partition, or of a record's."""
        name = self._settings.name(place.topic)
        assert name is not None  # no others are read
        return (name, place.partition)

    def _pass_over(self, topic: str) -> None:
        if topic not in self._strangers:
            self._strangers.add(topic)
            log.warning("%s holds records that are no CloudEvents; they are passed over", topic)

    def _patience(self) -> Deadline:
        return Deadline(self._settings.operation_s)

    def _ask(self, question: Callable[[], T]) -> T:
        """The client's answer, in bounded time."""
        settings, worked = self._settings, self._worked
        seconds = settings.operation_s
        what = "reading records"
        with explaining(settings, what, seconds, cut=self._cut, worked=worked) as deadline:
            return deadline.run(question)
