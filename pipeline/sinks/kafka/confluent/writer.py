"""Commits by confluent-kafka. See `pipeline.sinks.kafka.writer.Writer`.

Its calls take their time limits themselves, and run under ours as well.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from pipeline.records.mark import Place
from pipeline.records.record import Message
from pipeline.sinks.kafka.client import CLOSE_S, REACH_S
from pipeline.sinks.kafka.confluent.arguments import arguments
from pipeline.sinks.kafka.confluent.library import failure, open_producer, translated
from pipeline.sinks.kafka.deadline import Deadline, Stalled
from pipeline.sinks.kafka.errors import BatchRefused
from pipeline.sinks.kafka.partition import partitions_of
from pipeline.sinks.kafka.reach import reach
from pipeline.sinks.kafka.record import parts
from pipeline.sinks.kafka.refused import TOO_LARGE
from pipeline.sinks.kafka.settings import KafkaSettings
from pipeline.sinks.kafka.turns import send_in_turn, send_together


class ConfluentWriter:
    """One producer."""

    def __init__(
        self, settings: KafkaSettings, name: str, deadline: Deadline, *, transactional: bool = True
    ) -> None:
        """Arguments and errors as of `pipeline.sinks.kafka.writer.open_writer`."""
        self.name = name
        self._settings = settings
        self._transactional = transactional
        self._partitions: dict[str, list[int]] = {}
        where = ",".join(settings.servers)

        def tell(error: Exception) -> None:
            settings.trouble.note(where, error, advertised=False)

        reach(settings.servers, deadline.within(REACH_S))
        self._producer = open_producer(arguments(settings, name if transactional else None), tell)
        try:
            if transactional:
                self._run(deadline, lambda: self._producer.init_transactions(deadline.left_s))
        except BaseException:
            self.drop()
            raise

    def write(
        self,
        groups: Sequence[Sequence[Message]],
        deadline: Deadline,
        *,
        then: Callable[[Sequence[Place]], Sequence[Message]] = lambda _: (),
    ) -> None:
        def send(messages: Sequence[Message]) -> Sequence[Place]:
            return self._send(messages, deadline)

        def write() -> None:
            if self._transactional:
                self._producer.begin_transaction()
                send_together(groups, send, then)
                self._producer.commit_transaction(deadline.left_s)
            else:
                send_in_turn(groups, send, then)

        self._run(deadline, write)

    def abort(self, deadline: Deadline) -> None:
        if self._transactional:
            self._run(deadline, lambda: self._producer.abort_transaction(deadline.left_s))

    def drop(self) -> None:
        self._producer.purge(blocking=False)
        self.close()

    def close(self) -> None:
        with suppress(Exception), warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # that it could not end a transaction
            Deadline(CLOSE_S).run(lambda: self._producer.close(CLOSE_S / 2))

    def _run(self, deadline: Deadline, call: Callable[[], None]) -> None:
        with _translating():
            deadline.run(call)

    def _send(self, messages: Sequence[Message], deadline: Deadline) -> list[Place]:
        reports: list[Place | Exception | None] = [None] * len(messages)
        partitions = partitions_of(messages, lambda name: self._numbers(name, deadline))
        for number, (message, partition) in enumerate(zip(messages, partitions, strict=True)):
            key, value, headers = parts(message)
            topic = self._settings.topic(message.topic)

            def report(error: Any, record: Any, number: int = number) -> None:
                place = Place(record.partition(), record.offset())
                reports[number] = translated(error) if error else place

            with _refusing(message):
                self._produce(
                    deadline, topic, value, key, partition, on_delivery=report, headers=headers
                )
        self._producer.flush(deadline.left_s)
        return _places(messages, reports)

    def _produce(self, deadline: Deadline, *arguments: Any, **more: Any) -> None:
        while True:
            try:
                self._producer.produce(*arguments, **more)
                return
            except BufferError:  # its queue is full until some of it is acknowledged
                if not deadline.left_s:
                    raise Stalled("records were not taken in time") from None
                self._producer.poll(min(0.1, deadline.left_s))

    def _numbers(self, name: str, deadline: Deadline) -> list[int]:
        if name not in self._partitions:
            topic = self._settings.topic(name)
            found = self._producer.list_topics(topic, deadline.left_s).topics[topic]
            if found.error:
                raise translated(found.error)
            self._partitions[name] = sorted(found.partitions)
        return self._partitions[name]


def _places(
    messages: Sequence[Message], reports: Sequence[Place | Exception | None]
) -> list[Place]:
    """Where all lie, if all were acknowledged."""
    pairs = list(zip(messages, reports, strict=True))
    if refused := [message for message, report in pairs if isinstance(report, TOO_LARGE)]:
        raise BatchRefused(refused)
    places: list[Place] = []
    for report in reports:
        if report is None:
            raise Stalled("a record was neither acknowledged nor refused")
        if isinstance(report, Exception):
            raise report
        places.append(report)
    return places


@contextmanager
def _translating() -> Iterator[None]:
    try:
        yield
    except failure() as error:
        raise translated(error) from error
    except SystemError as error:  # a report was called while the error was on its way
        if isinstance(error.__cause__, failure()):
            raise translated(error.__cause__) from error
        raise


@contextmanager
def _refusing(message: Message) -> Iterator[None]:
    """What the client does not even take."""
    try:
        yield
    except failure() as error:
        if isinstance(translated(error), TOO_LARGE):
            raise BatchRefused([message]) from error
        raise
