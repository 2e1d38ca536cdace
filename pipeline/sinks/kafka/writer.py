"""What the sink needs of a client that writes: whole transactions, in time.

Two libraries give it: kafka-python, and, where it is chosen, confluent-kafka.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from pipeline.records.mark import Place
from pipeline.records.record import Message
from pipeline.sinks.kafka.deadline import Deadline
from pipeline.sinks.kafka.options import CONFLUENT
from pipeline.sinks.kafka.producer import Transactor
from pipeline.sinks.kafka.settings import KafkaSettings


class Writer(Protocol):
    """One transactional producer. After an error it is of no use any more: `drop` it."""

    name: str
    """Its transactional id."""

    def write(
        self,
        messages: Sequence[Message],
        deadline: Deadline,
        *,
        then: Callable[[Sequence[Place]], Sequence[Message]] = ...,
    ) -> None:
        """All messages in one transaction, which is committed only once each is acknowledged.

        Args:
            messages: in order.
            deadline: for all of it.
            then: is told where the messages lie, and says what else belongs to them.

        Raises:
            BatchRefused: a topic takes less than is known.
            Stalled, KafkaError: the transaction failed, or may have been committed all the same.
        """
        ...

    def abort(self, deadline: Deadline) -> None:
        """End an open transaction, so that readers need not wait for the broker to give it up."""
        ...

    def drop(self) -> None:
        """Let go of it whatever state it is in, and wait for nothing."""
        ...

    def close(self) -> None:
        """Let go of it; it has nothing left to send."""
        ...


def usable(settings: KafkaSettings) -> KafkaSettings:
    """The same, where their library is there and can do as they say.

    Raises:
        UsageError: it is not, or cannot.
    """
    if settings.library == CONFLUENT:
        from pipeline.sinks.kafka.confluent.arguments import arguments
        from pipeline.sinks.kafka.confluent.library import confluent_kafka

        confluent_kafka()
        arguments(settings, "")
    return settings


def open_writer(settings: KafkaSettings, transactional_id: str, deadline: Deadline) -> Writer:
    """Connect and fence whoever wrote under this id; its open transaction is over then.

    Raises:
        UsageError: the settings cannot be used.
        Stalled, KafkaError: the cluster does not answer.
    """
    if settings.library == CONFLUENT:
        from pipeline.sinks.kafka.confluent.transactor import ConfluentTransactor

        return ConfluentTransactor(settings, transactional_id, deadline)
    return Transactor(settings, transactional_id, deadline)
