"""One stream that is written into Kafka number by number, as an engine's committer writes it."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace

from kafka import KafkaConsumer, TopicPartition

from benchmarks.cluster_trial.figure import Figure
from pipeline.records.commit import Commit
from pipeline.records.record import Message
from pipeline.sinks.patient import PatientSink
from pipeline.sinks.uri import open_sink

PREFIX, TOPIC = "trial", "numbers"
STREAM, JOB = "numbers", "feedfacecafe"
VALUE = hashlib.shake_128(b"noise").digest(2000)  # that nothing makes smaller


class Writer:
    """A sink that bears outages, and the numbers that it was given.

    Attributes:
        written: the last number that is known to be in the sink.
    """

    def __init__(self, server: str, settings: Mapping[str, object]) -> None:
        self.written = 0
        self._server = server
        self.sink = PatientSink(
            open_sink(f"kafka://{server}?topic_prefix={PREFIX}", settings=settings)
        )
        self.claim()

    def claim(self) -> None:
        """Begin, or begin again where the sink says that the stream stands."""
        self._progress = self.sink.claim({STREAM: JOB})[STREAM]

    def step(self) -> float:
        """Commit the next number; seconds that it took.

        Raises:
            SinkError: another attempt would not help.
        """
        number, began_s = self.written + 1, time.monotonic()
        progress = replace(self._progress, sequence=self._progress.sequence + 1)
        message = Message(TOPIC, STREAM, {"ce_id": str(number)}, VALUE)
        self.sink.commit([Commit([message], progress)])
        self._progress, self.written = progress, number
        return time.monotonic() - began_s

    def steps_s(self, seconds: float) -> list[float]:
        """Commit one after another for so long; seconds that each took."""
        until_s, took_s = time.monotonic() + seconds, []
        while time.monotonic() < until_s:
            took_s.append(self.step())
        return took_s

    def verdict(self, first: int = 1) -> Iterator[Figure]:
        """What is there, held against what was written from a number on."""
        found, expected = committed(self._server), [*range(first, self.written + 1)]
        why = f"{self.written} written"
        yield Figure("lost", len(set(expected) - set(found)), "records", 0, why)
        yield Figure("doubled or out of order", int(found != sorted(set(found))), "", 0)
        yield Figure("invented", len(set(found) - set(expected)), "records", 0)


def committed(server: str) -> list[int]:
    """The numbers that a plain `read_committed` consumer gets, repeats and all, in its order."""
    topic = f"{PREFIX}.{TOPIC}"
    consumer = KafkaConsumer(
        bootstrap_servers=server, isolation_level="read_committed", auto_offset_reset="earliest"
    )
    partitions = [TopicPartition(topic, one) for one in consumer.partitions_for_topic(topic) or ()]
    consumer.assign(partitions)
    ends = consumer.end_offsets(partitions)
    found = []
    while any(consumer.position(one) < end for one, end in ends.items()):
        for records in consumer.poll(timeout_ms=200).values():
            found += [int(dict(record.headers)["ce_id"]) for record in records]
    consumer.close()
    return found
