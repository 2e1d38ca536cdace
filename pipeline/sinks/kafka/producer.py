"""Writes messages to Kafka: whole transactions, or single appends.

Every write ends acknowledged or with an error, in time. Knows nothing of progress or epochs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from kafka.errors import UnknownError

from pipeline.records.mark import Place
from pipeline.records.record import Message
from pipeline.sinks.kafka.client import close_producer, drop_producer, open_producer
from pipeline.sinks.kafka.deadline import Deadline, Stalled
from pipeline.sinks.kafka.errors import BatchRefused
from pipeline.sinks.kafka.record import parts
from pipeline.sinks.kafka.refused import TOO_LARGE
from pipeline.sinks.kafka.settings import KafkaSettings


class Transactor:
    """One transactional producer. After an error it is of no use any more: `drop` it."""

    def __init__(self, settings: KafkaSettings, transactional_id: str, deadline: Deadline) -> None:
        """Connect and fence whoever wrote under this id; its open transaction is over then.

        Raises:
            UsageError: the settings cannot be used.
            Stalled, KafkaError: the cluster does not answer.
        """
        self.name = transactional_id
        self._settings = settings
        self._producer = open_producer(settings, deadline, transactional_id=transactional_id)

    def write(
        self,
        groups: Sequence[Sequence[Message]],
        deadline: Deadline,
        *,
        then: Callable[[Sequence[Place]], Sequence[Message]] = lambda _: (),
    ) -> None:
        """All messages in one transaction; a group is acknowledged before the next one is sent.

        So the last group cannot be committed without those before it: the client may lose batches
        to a bump of its producer epoch and would then commit the rest without an error.

        Args:
            groups: in order.
            deadline: for all of it.
            then: is told where the last group's messages lie, and says what else belongs to it.

        Raises:
            BatchRefused: a topic takes less than is known.
            Stalled, KafkaError: the transaction failed, or may have been committed all the same.
        """

        def transact() -> None:
            self._producer.begin_transaction()
            places: Sequence[Place] = ()
            for group in groups:
                places = _send(self._producer, self._settings, group, deadline)
            _send(self._producer, self._settings, then(places), deadline)
            self._producer.commit_transaction()

        deadline.run(transact)

    def abort(self, deadline: Deadline) -> None:
        """End an open transaction, so that readers need not wait for the broker to give it up."""
        deadline.run(self._producer.abort_transaction)

    def drop(self) -> None:
        drop_producer(self._producer)

    def close(self) -> None:
        close_producer(self._producer)


def append(settings: KafkaSettings, messages: Sequence[Message], deadline: Deadline) -> None:
    """Write messages without a transaction: at least once.

    Raises:
        UsageError, Stalled, KafkaError: as of `Transactor`.
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
    futures = []
    for message in messages:
        key, value, headers = parts(message)
        topic = settings.topic(message.topic)
        futures.append(producer.send(topic, key=key, value=value, headers=headers))
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
