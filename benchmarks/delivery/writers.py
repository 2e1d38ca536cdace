"""Ways to write the same records: our sink as an engine uses it, and bare clients beside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import confluent_kafka
from kafka import KafkaProducer

from benchmarks.delivery.load import CHUNK, STREAMS, Load, streams_of
from pipeline.engine.committer import Committed, Committer
from pipeline.engine.observer import StageSeconds
from pipeline.records.record import Message
from pipeline.sinks.address import parse_sink_uri
from pipeline.sinks.kafka.deadline import Deadline
from pipeline.sinks.kafka.record import parts
from pipeline.sinks.kafka.settings import KafkaSettings
from pipeline.sinks.patient import PatientSink
from pipeline.sinks.uri import open_sink

TRANSACTION = CHUNK * STREAMS  # records, of a bare client's transactions

Writer = Callable[[], None]
"""Writes one round; what is ready before the clock runs is not measured."""


class OurSink:
    """Results -> messages -> commits, a chunk of each stream on its way, by the engine's own
    committer."""

    def __init__(self, uri: str, load: Load, count: int, settings: Mapping[str, Any]) -> None:
        self.transactions = 0
        self._sink = PatientSink(open_sink(uri, settings=settings))
        self._load, self._count, self._written = load, count, 0
        self._standing = self._sink.claim(dict.fromkeys(streams_of(STREAMS), "job"), fresh=True)
        self._committer = Committer(self._sink, StageSeconds({}))

    def __call__(self) -> None:
        busy: set[str] = set()
        commits = self._load.commits(self._standing, self._count, begin=self._written)
        self._written += self._count
        for commit in commits:
            while commit.progress.stream in busy:
                self._settle(busy)
            busy.add(commit.progress.stream)
            self._committer.put(commit)
        while busy:
            self._settle(busy)

    def close(self) -> None:
        self._committer.close()
        self._sink.close()

    def _settle(self, busy: set[str]) -> None:
        self._committer.wait(60)
        for news in self._committer.take():
            assert isinstance(news, Committed)
            self.transactions += 1
            busy -= {commit.progress.stream for commit in news.commits}


class BareKafkaPython:
    """Sends by kafka-python, with the sink's settings and without transactions."""

    transactions = 0

    def __init__(self, uri: str, messages: Sequence[Message], settings: Mapping[str, Any]) -> None:
        self._settings = KafkaSettings.of(parse_sink_uri(uri), settings)
        self._messages = [(self._settings.topic(m.topic), *parts(m)) for m in messages]
        self._producer = KafkaProducer(**self._settings.producer(Deadline(60)))

    def __call__(self) -> None:
        send = self._producer.send
        futures = [
            send(topic, key=key, value=value, headers=headers)
            for topic, key, value, headers in self._messages
        ]
        self._producer.flush()
        assert all(future.succeeded() for future in futures)

    def close(self) -> None:
        self._producer.close()


class BareConfluent:
    """Sends by confluent-kafka, with or without transactions of as many records as our sink's."""

    def __init__(
        self,
        uri: str,
        messages: Sequence[Message],
        settings: Mapping[str, Any],
        *,
        transactional_id: str | None = None,
    ) -> None:
        chosen = KafkaSettings.of(parse_sink_uri(uri), settings)
        config: dict[str, Any] = {
            "bootstrap.servers": ",".join(chosen.servers),
            "enable.idempotence": True,
            "linger.ms": 50,
            "batch.size": 1 << 20,
            "message.max.bytes": 8 << 20,
            "compression.type": chosen.compression,
            "partitioner": "murmur2_random",
        }
        self.transactions = 0
        self._transactional = transactional_id is not None
        if transactional_id:
            config["transactional.id"] = transactional_id
        self._messages = [(chosen.topic(m.topic), *parts(m)) for m in messages]
        self._producer = confluent_kafka.Producer(config)
        if transactional_id:
            self._producer.init_transactions(60)

    def __call__(self) -> None:
        if not self._transactional:
            self._send(self._messages)
            self._producer.flush()
            return
        for first in range(0, len(self._messages), TRANSACTION):
            self.transactions += 1
            self._producer.begin_transaction()
            self._send(self._messages[first : first + TRANSACTION])
            self._producer.commit_transaction(60)

    def _send(self, messages: Sequence[tuple[Any, ...]]) -> None:
        for topic, key, value, headers in messages:
            while True:
                try:
                    self._producer.produce(topic, value, key, headers=headers)
                    break
                except BufferError:
                    self._producer.poll(0.1)

    def close(self) -> None:
        self._producer.flush()
