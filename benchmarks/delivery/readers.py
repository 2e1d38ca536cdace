"""Ways to read the same records: `subscribe`, and a bare consumer beside it."""

from __future__ import annotations

import time
from itertools import islice

from kafka import KafkaConsumer, TopicPartition

from pipeline.client.subscription import subscribe
from pipeline.sinks.address import parse_sink_uri
from pipeline.sinks.kafka.deadline import Deadline
from pipeline.sinks.kafka.settings import KafkaSettings

READ_S = 600.0  # more than any reading takes: a record is missing


def by_subscribe(uri: str, topic: str, count: int) -> None:
    """Typed results."""
    assert sum(1 for _ in islice(subscribe(uri, topics=[topic], follow=False), count)) == count


def by_bare_consumer(uri: str, topic: str, count: int) -> None:
    """What kafka-python gives, committed records alone, by the same settings."""
    settings = KafkaSettings.of(parse_sink_uri(uri), {})
    consumer = KafkaConsumer(**settings.consumer(Deadline(60)))
    name = settings.topic(topic)
    numbers = consumer.partitions_for_topic(name)
    consumer.assign([TopicPartition(name, number) for number in sorted(numbers)])
    found, until_s = 0, time.monotonic() + READ_S
    while found < count:
        assert time.monotonic() < until_s, f"{found} of {count} records are there"
        found += sum(len(records) for records in consumer.poll(timeout_ms=500).values())
    consumer.close()
