"""A cluster of three real brokers, one of which is lost while a stream is written.

What is done to all of them, under whole runs: `python -m benchmarks.broker_trial`.
"""

from __future__ import annotations

import pytest
from kafka import TopicPartition

from benchmarks.broker_trial.writer import PREFIX, STREAM, TOPIC, Writer, committed
from pipeline.sinks.kafka.reading import partition_of

pytestmark = [
    pytest.mark.needs_kafka,
    pytest.mark.slow,
    # kafka-python leaves the sockets of connections that fail to the garbage collector
    pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"),
]

QUICK = ("broker.session.timeout.ms=3000", "broker.heartbeat.interval.ms=500")


def test_the_leader_of_a_stream_is_killed(three_brokers):
    """Two of three are enough: nothing is lost and nothing doubled."""
    three_brokers.start(*QUICK)
    writer = Writer(three_brokers.servers, {"attempt_s": 8})  # which a kill may cost
    for _ in range(3):
        writer.step()
    three_brokers.wait_in_sync()
    partitions = three_brokers.partitions()
    topic = f"{PREFIX}.{TOPIC}"
    numbers = sorted(one.partition for one in partitions if one.topic == topic)
    place = partitions[TopicPartition(topic, partition_of(STREAM, numbers))]
    three_brokers.nodes[place["leader_id"]].kill()
    for _ in range(3):
        writer.step()
    writer.sink.close()
    assert committed(three_brokers.servers) == [1, 2, 3, 4, 5, 6]
