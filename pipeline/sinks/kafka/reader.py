"""Reads records from Kafka as a careful consumer would: committed ones, each once."""

from __future__ import annotations

import logging
import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any

from kafka import TopicPartition
from kafka.partitioner import murmur2

from pipeline.records.filter import ALL, Filter
from pipeline.records.once import Once
from pipeline.records.record import Message, StoredRecord
from pipeline.records.topics import CLAIMS, PROGRESS, data_topics, require_topics
from pipeline.sinks.kafka.admin import topic_names
from pipeline.sinks.kafka.client import close_consumer, consumer, open_consumer
from pipeline.sinks.kafka.deadline import Deadline, Stalled
from pipeline.sinks.kafka.errors import explained, explaining
from pipeline.sinks.kafka.progress import standing
from pipeline.sinks.kafka.settings import KafkaSettings
from pipeline.sinks.sink import Held
from pipeline.stream.progress import Progress

log = logging.getLogger(__name__)

POLL_MS = 500
NEW_TOPICS_S = 5.0  # how often `follow` looks for topics that were made since


class KafkaReader:
    """Reads one cluster's topics of one prefix. See `pipeline.sinks.sink.Reader`."""

    def __init__(self, settings: KafkaSettings) -> None:
        """Connects at the first call."""
        self._settings = settings

    def topics(self) -> list[str]:
        with explaining(self._settings, "listing topics", self._settings.attempt_s) as deadline:
            return topic_names(self._settings, deadline)

    def holds(self) -> dict[str, Held]:
        names = self.topics()
        with (
            explaining(self._settings, "counting records", self._settings.attempt_s) as deadline,
            consumer(self._settings, deadline) as client,
        ):
            return {name: Held(self._span(client, name, deadline), exact=False) for name in names}

    def records(
        self,
        topics: Sequence[str] = (),
        *,
        where: Filter = ALL,
        from_beginning: bool = True,
        follow: bool = False,
    ) -> Iterator[StoredRecord]:
        require_topics(topics, self.topics())
        with explaining(self._settings, "connecting", self._settings.attempt_s) as deadline:
            client = open_consumer(self._settings, deadline)
        try:
            reading = _Reading(self._settings, client, topics, where)
            yield from reading.follow(from_beginning) if follow else reading.whole(from_beginning)
        finally:
            close_consumer(client)

    def progress(self, job: str | None = None) -> Iterable[Progress]:
        settings = self._settings
        if PROGRESS not in self.topics():
            return []
        with (
            explaining(settings, "reading progress", settings.operation_s) as deadline,
            standing(settings, None, deadline) as found,
        ):
            found.read_claims(deadline)
            found.read_progress(deadline)
            return [progress for progress in found if job in (None, progress.job)]

    def close(self) -> None:
        """Every read closes its own connection."""

    def _span(self, client: Any, name: str, deadline: Deadline) -> int:
        """Offsets of a topic that its retention has left."""
        topic = self._settings.topic(name)

        def ask() -> int:
            partitions = [TopicPartition(topic, n) for n in client.partitions_for_topic(topic)]
            ends, begins = client.end_offsets(partitions), client.beginning_offsets(partitions)
            return sum(ends[one] - begins[one] for one in partitions)

        return deadline.run(ask)


class _Reading:
    """One pass over some topics."""

    def __init__(
        self, settings: KafkaSettings, client: Any, topics: Sequence[str], where: Filter
    ) -> None:
        self._settings = settings
        self._client = client
        self._topics = topics
        self._where = where
        self._once = Once()
        self._assigned: set[TopicPartition] = set()
        self._strangers: set[str] = set()

    def whole(self, from_beginning: bool) -> Iterator[StoredRecord]:
        """What was there when this began."""
        self._assign(from_beginning)
        ends = self._ends(self._assigned)
        patience = self._patience()
        while self._behind(ends):
            records = self._poll()
            if records:
                patience = self._patience()
            elif not patience.left_s:
                silence = Stalled("nothing arrived")
                raise explained(silence, self._settings, "reading records", patience.elapsed_s)
            for record in records:
                if record.offset < ends[TopicPartition(record.topic, record.partition)]:
                    yield from self._delivered(record)

    def follow(self, from_beginning: bool) -> Iterator[StoredRecord]:
        """Until nobody asks any more, topics that are made meanwhile included."""
        self._assign(from_beginning)
        looked_s = time.monotonic()
        while True:
            for record in self._poll():
                yield from self._delivered(record)
            if time.monotonic() - looked_s > NEW_TOPICS_S:
                self._assign(True)
                looked_s = time.monotonic()

    def _assign(self, from_beginning: bool) -> None:
        """Take in topics that were not there before."""
        with self._bounded() as deadline:
            found = deadline.run(self._find)
        new = found - self._assigned
        if not new:
            return
        self._assigned |= new
        begins = self._since(new) if from_beginning else self._ends(new)
        self._client.assign(sorted(self._assigned))  # those it knows keep their positions
        for partition, offset in begins.items():
            self._client.seek(partition, offset)

    def _find(self) -> set[TopicPartition]:
        named = {self._settings.name(topic): topic for topic in self._client.topics()}
        existing = [name for name in named if name is not None]
        wanted = [name for name in self._topics or data_topics(existing) if name in named]
        return {
            TopicPartition(named[name], number)
            for name in wanted
            for number in self._numbers(name, named[name])
        }

    def _numbers(self, name: str, topic: str) -> Collection[int]:
        """Partitions where records that are asked for may lie: a stream's own one, where it is the
        key. That is why a topic keeps its number of partitions."""
        numbers = sorted(self._client.partitions_for_topic(topic))
        if not self._where.streams or name in (PROGRESS, CLAIMS):
            return numbers
        hashes = [murmur2(stream.encode()) & 0x7FFFFFFF for stream in self._where.streams]
        return {numbers[one % len(numbers)] for one in hashes}

    def _since(self, partitions: Collection[TopicPartition]) -> dict[TopicPartition, int]:
        """Where the first record lies that was published late enough. The last that was published
        early enough may lie anywhere: writers' clocks differ."""
        if self._where.since_us is None:
            return {}
        since_ms = self._where.since_us // 1000
        with self._bounded() as deadline:
            found = deadline.run(
                lambda: self._client.offsets_for_times(dict.fromkeys(partitions, since_ms))
            )
        later = {partition for partition in partitions if found[partition] is None}
        begins = {one: found[one].offset for one in partitions if found[one] is not None}
        return begins | (self._ends(later) if later else {})

    def _ends(self, partitions: Collection[TopicPartition]) -> dict[TopicPartition, int]:
        """Where what is committed ends."""
        with self._bounded() as deadline:
            ends: dict[TopicPartition, int] = deadline.run(
                lambda: self._client.end_offsets(list(partitions))
            )
        return ends

    def _behind(self, ends: dict[TopicPartition, int]) -> list[TopicPartition]:
        with self._bounded() as deadline:
            return deadline.run(
                lambda: [p for p, end in ends.items() if self._client.position(p) < end]
            )

    def _poll(self) -> list[Any]:
        if not self._assigned:
            time.sleep(POLL_MS / 1000)
            return []
        with self._bounded() as deadline:
            polled = deadline.run(lambda: self._client.poll(timeout_ms=POLL_MS))
        return [record for records in polled.values() for record in records]

    def _delivered(self, record: Any) -> Iterator[StoredRecord]:
        headers = {name: value.decode(errors="replace") for name, value in record.headers or ()}
        if "ce_id" not in headers:
            self._pass_over(record.topic)
        if "ce_id" not in headers or record.value is None:  # a tombstone
            return
        name = self._settings.name(record.topic)
        assert name is not None
        key = (record.key or b"").decode(errors="replace")
        message = Message(name, key, headers, record.value)
        stored = StoredRecord(message, record.timestamp * 1000, record.offset, record.partition)
        if not self._where.takes(stored):
            return
        if self._once.delivers(name, headers, partition=record.partition):
            yield stored

    def _pass_over(self, topic: str) -> None:
        if topic not in self._strangers:
            self._strangers.add(topic)
            log.warning("%s holds records that are no CloudEvents; they are passed over", topic)

    def _patience(self) -> Deadline:
        return Deadline(self._settings.operation_s)

    def _bounded(self) -> AbstractContextManager[Deadline]:
        return explaining(self._settings, "reading records", self._settings.operation_s)
