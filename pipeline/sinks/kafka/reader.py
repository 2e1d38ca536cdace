"""Reads topics, records and progress from a Kafka cluster."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from typing import Any

from kafka import TopicPartition

from pipeline.records.filter import ALL, Filter
from pipeline.records.message import wall_clock_us
from pipeline.records.record import StoredRecord
from pipeline.records.topics import PROGRESS, require_topics
from pipeline.sinks.kafka.admin import topic_names
from pipeline.sinks.kafka.client import consumer
from pipeline.sinks.kafka.deadline import Deadline
from pipeline.sinks.kafka.errors import explaining
from pipeline.sinks.kafka.group import GroupReading
from pipeline.sinks.kafka.partition import partition_of
from pipeline.sinks.kafka.progress import standing
from pipeline.sinks.kafka.reading import KafkaReading
from pipeline.sinks.kafka.settings import KafkaSettings
from pipeline.sinks.reading import Plan, Reading
from pipeline.sinks.sink import Held
from pipeline.stream.progress import Progress


class KafkaReader:
    """Reads one cluster's topics of one prefix. See `pipeline.sinks.sink.Reader`."""

    def __init__(self, settings: KafkaSettings) -> None:
        """Connects at the first call."""
        self._settings = settings
        self._oldest_us: dict[str, dict[int, int | None]] = {}  # topic -> partition -> `oldest_us`

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
        repeats: bool = False,
    ) -> Iterator[StoredRecord]:
        plan = Plan(
            tuple(topics), where, from_beginning=from_beginning, follow=follow, repeats=repeats
        )
        with closing(self.read(plan)) as reading:
            for record in reading:
                yield record
                reading.done(record)

    def read(self, plan: Plan) -> Reading:
        require_topics(plan.named, self.topics())
        if plan.group is None:
            return KafkaReading(self._settings, plan)
        return GroupReading(self._settings, plan)

    def oldest_us(self, topic: str, stream: str) -> int | None:
        if topic not in self._oldest_us:
            settings = self._settings
            with (
                explaining(settings, "looking for old records", settings.attempt_s) as deadline,
                consumer(settings, deadline) as client,
            ):
                self._oldest_us[topic] = deadline.run(lambda: self._oldest(client, topic))
        found = self._oldest_us[topic]
        return found[partition_of(stream, sorted(found))] if found else None

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

    def _oldest(self, client: Any, topic: str) -> dict[int, int | None]:
        numbers = client.partitions_for_topic(self._settings.topic(topic)) or ()
        partitions = [TopicPartition(self._settings.topic(topic), one) for one in numbers]
        if not partitions:
            return {}
        begins = client.beginning_offsets(partitions)
        firsts = client.offsets_for_times(dict.fromkeys(partitions, 0))
        now_us = wall_clock_us()  # of a partition with nothing left: all was before
        oldest = {
            one: firsts[one].timestamp * 1000 if firsts[one] else now_us for one in partitions
        }
        return {one.partition: oldest[one] if begins[one] else None for one in partitions}

    def _span(self, client: Any, name: str, deadline: Deadline) -> int:
        """Offsets of a topic that its retention has left."""
        topic = self._settings.topic(name)

        def ask() -> int:
            partitions = [TopicPartition(topic, n) for n in client.partitions_for_topic(topic)]
            ends, begins = client.end_offsets(partitions), client.beginning_offsets(partitions)
            return sum(ends[one] - begins[one] for one in partitions)

        return deadline.run(ask)
