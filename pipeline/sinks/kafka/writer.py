"""What the sink needs of a client that writes: commits that are whole, or in order; in time.

Two libraries give it: kafka-python, and, where it is chosen, confluent-kafka.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from pipeline.records.mark import Place
from pipeline.records.record import Message
from pipeline.sinks.kafka.deadline import Deadline
from pipeline.sinks.kafka.options import CONFLUENT
from pipeline.sinks.kafka.producer import PythonWriter
from pipeline.sinks.kafka.settings import KafkaSettings


class Writer(Protocol):
    """One producer. After an error it is of no use any more: `drop` it."""

    name: str
    """Its transactional id, with transactions or without."""

    def write(
        self,
        groups: Sequence[Sequence[Message]],
        deadline: Deadline,
        *,
        then: Callable[[Sequence[Place]], Sequence[Message]] = ...,
    ) -> None:
        """All messages: in one transaction, which is committed only once each is acknowledged; or
        without one, each group acknowledged before the next one is sent.

        Args:
            groups: in order.
            deadline: for all of it.
            then: is told where the last group's messages lie, and says what else belongs to it.

        Raises:
            BatchRefused: a topic takes less than is known.
            Stalled, KafkaError: it failed, or may have been carried out all the same.
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
        arguments(settings, None)
    return settings


def open_writer(
    settings: KafkaSettings, name: str, deadline: Deadline, *, transactional: bool = True
) -> Writer:
    """Connect and, with transactions, fence whoever wrote under this id; what it had begun is over.

    Raises:
        UsageError: the settings cannot be used.
        Stalled, KafkaError: the cluster does not answer.
    """
    if settings.library == CONFLUENT:
        from pipeline.sinks.kafka.confluent.writer import ConfluentWriter

        return ConfluentWriter(settings, name, deadline, transactional=transactional)
    return PythonWriter(settings, name, deadline, transactional=transactional)
