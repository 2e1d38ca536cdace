"""What a plain consumer of any language gets of a topic: with repeats, if there are any."""

from __future__ import annotations

from typing import Any

from kafka import KafkaConsumer, TopicPartition

from pipeline.sinks.address import parse_sink_uri


def consumed(uri: str, name: str = "action", *, committed: bool = True) -> list[Any]:
    """Records in the order of their partitions, up to where the topic ends now.

    Args:
        uri: of the sink.
        name: of the topic, without the prefix.
        committed: those alone that transactions have committed.
    """
    address = parse_sink_uri(uri)
    consumer = KafkaConsumer(
        bootstrap_servers=list(address.servers),
        group_id=None,
        isolation_level="read_committed" if committed else "read_uncommitted",
        auto_offset_reset="earliest",
    )
    topic = f"{address.prefix}.{name}"
    partitions = [TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic)]
    consumer.assign(partitions)
    ends = consumer.end_offsets(partitions)
    found = []
    while any(consumer.position(partition) < end for partition, end in ends.items()):
        for records in consumer.poll(timeout_ms=200).values():
            found += records
    consumer.close()
    return found
