"""Writes messages to Kafka: whole transactions, or single appends.

Every write ends acknowledged or with an error, in time. Knows nothing of progress or epochs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from kafka import TopicPartition
from kafka.errors import UnknownError

from pipeline.records.mark import Place
from pipeline.records.record import Message
from pipeline.sinks.kafka.client import close_producer, drop_producer, open_producer
from pipeline.sinks.kafka.deadline import Deadline, Stalled
from pipeline.sinks.kafka.errors import BatchRefused
from pipeline.sinks.kafka.partition import partitions_of
from pipeline.sinks.kafka.record import parts
from pipeline.sinks.kafka.refused import TOO_LARGE
from pipeline.sinks.kafka.settings import KafkaSettings
from pipeline.sinks.kafka.turns import send_in_turn, send_together


class PythonWriter:
    """By kafka-python. See `pipeline.sinks.kafka.writer.Writer`."""

    def __init__(
        self, settings: KafkaSettings, name: str, deadline: Deadline, *, transactional: bool = True
    ) -> None:
        """Arguments and errors as of `pipeline.sinks.kafka.writer.open_writer`."""
        self.name = name
        self._settings = settings
        self._transactional = transactional
        transactional_id = name if transactional else None
        self._producer = open_producer(settings, deadline, transactional_id=transactional_id)

    def write(
        self,
        groups: Sequence[Sequence[Message]],
        deadline: Deadline,
        *,
        then: Callable[[Sequence[Place]], Sequence[Message]] = lambda _: (),
    ) -> None:
        def send(messages: Sequence[Message]) -> Sequence[Place]:
            return _send(self._producer, self._settings, messages, deadline)

        def write() -> None:
            if self._transactional:
                self._producer.begin_transaction()
                send_together(groups, send, then)
                self._producer.commit_transaction()
            else:
                send_in_turn(groups, send, then)

        deadline.run(write)

    def abort(self, deadline: Deadline) -> None:
        if self._transactional:
            deadline.run(self._producer.abort_transaction)

    def drop(self) -> None:
        drop_producer(self._producer)

    def close(self) -> None:
        close_producer(self._producer)


def append(settings: KafkaSettings, messages: Sequence[Message], deadline: Deadline) -> None:
    """Write messages without a transaction: at least once.

    Raises:
        UsageError, Stalled, KafkaError: as of `open_writer`.
    """
    producer = open_producer(settings, deadline)
    try:
        deadline.run(lambda: _send(producer, settings, messages, deadline))
    except BaseException:
        drop_producer(producer)
        raise
    close_producer(producer)


def _send(
    producer: Any, settings: KafkaSettings, messages: Sequence[Message], deadline: Deadline
) -> list[Place]:
    partitions = partitions_of(
        messages, lambda name: sorted(producer.partitions_for(settings.topic(name)))
    )
    places = [
        TopicPartition(settings.topic(message.topic), partition)
        for message, partition in zip(messages, partitions, strict=True)
    ]
    if producer.config["transactional_id"]:
        _announce(producer, places)
    futures = []
    for (topic, partition), message in zip(places, messages, strict=True):
        key, value, headers = parts(message)
        futures.append(
            producer.send(topic, partition=partition, key=key, value=value, headers=headers)
        )
    if not futures:
        return []
    try:
        producer.flush(timeout=deadline.left_s)
    except UnknownError as error:  # the client splits what was refused, and waits for it no more
        raise BatchRefused(messages) from error
    pairs = zip(messages, futures, strict=True)
    refused = [message for message, future in pairs if isinstance(future.exception, TOO_LARGE)]
    if refused:
        raise BatchRefused(refused)
    for future in futures:
        if not future.is_done:
            raise Stalled("a record was neither acknowledged nor refused")
        if future.failed():
            raise future.exception
    return [Place(future.value.partition, future.value.offset) for future in futures]


def _announce(producer: Any, places: Sequence[TopicPartition]) -> None:
    """Tell a transaction of all its partitions at once, before the first record: the client asks
    the broker for those that it knows of, and then again for the others."""
    transaction = producer._transaction_manager
    with transaction._lock:  # which the client's thread takes to see what is to be asked
        for place in dict.fromkeys(places):
            transaction.maybe_add_partition_to_transaction(place)
