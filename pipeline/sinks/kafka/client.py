"""Opens kafka-python's clients and lets go of them, whatever state they are in."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer
from kafka.errors import KafkaConfigurationError

from operators.errors import UsageError
from pipeline.secrets import mask
from pipeline.sinks.kafka import squeeze
from pipeline.sinks.kafka.connections import connect
from pipeline.sinks.kafka.deadline import Deadline
from pipeline.sinks.kafka.reach import reach
from pipeline.sinks.kafka.settings import KafkaSettings
from pipeline.sinks.kafka.socket import DIRECT

CLOSE_S = 5.0
REACH_S = 2.0  # a broker that does not listen will not by waiting here; whoever calls tries again
CONFIGURATION = (KafkaConfigurationError, ValueError, TypeError, AssertionError, RuntimeError)


def open_producer(
    settings: KafkaSettings, deadline: Deadline, *, transactional_id: str | None = None
) -> Any:
    """A connected producer; with `transactional_id` one that has fenced its predecessors.

    Raises:
        UsageError: the settings cannot be used.
        Stalled, KafkaError: the cluster does not answer.
    """

    def connect() -> Any:
        if transactional_id is None:
            return _made(KafkaProducer, settings, settings.producer(deadline), deadline)
        config = settings.transactional(deadline, transactional_id)
        producer = _made(KafkaProducer, settings, config, deadline)
        try:
            producer.init_transactions()
        except BaseException:
            drop_producer(producer)
            raise
        return producer

    return deadline.run(connect, late=drop_producer)


def drop_producer(producer: Any) -> None:
    """Stop a producer without waiting for what it still holds. `close` alone would first flush, for
    ever where it is wedged, and with a timeout it would leave the sender thread running."""
    producer._sender.force_close()
    with suppress(Exception):
        producer.close(timeout=1)


def close_producer(producer: Any) -> None:
    """Close a producer that has nothing left to send."""
    with suppress(Exception):
        Deadline(CLOSE_S).run(lambda: producer.close(timeout=CLOSE_S / 2))


def open_consumer(settings: KafkaSettings, deadline: Deadline, *, committed: bool = True) -> Any:
    """A connected consumer without a group; errors as of `open_producer`."""
    config = settings.consumer(deadline, committed=committed)
    return deadline.run(
        lambda: _made(KafkaConsumer, settings, config, deadline), late=close_consumer
    )


def open_reading_consumer(settings: KafkaSettings, deadline: Deadline, *, group: str | None) -> Any:
    """One that says where an offset is not there, or none is known, instead of going elsewhere; in
    a group, as whose member it commits. Errors as of `open_producer`."""
    config = settings.reading_consumer(deadline, group=group)
    return deadline.run(
        lambda: _made(KafkaConsumer, settings, config, deadline), late=close_consumer
    )


@contextmanager
def consumer(
    settings: KafkaSettings, deadline: Deadline, *, committed: bool = True
) -> Iterator[Any]:
    """`open_consumer` for a block."""
    client = open_consumer(settings, deadline, committed=committed)
    try:
        yield client
    finally:
        close_consumer(client)


def close_consumer(client: Any) -> None:
    with suppress(Exception):
        Deadline(CLOSE_S).run(lambda: client.close(autocommit=False, timeout_ms=1000))


@contextmanager
def admin(settings: KafkaSettings, deadline: Deadline) -> Iterator[Any]:
    """A connected admin client, for a block; errors as of `open_producer`."""
    config = settings.shared(deadline)
    client = deadline.run(
        lambda: _made(KafkaAdminClient, settings, config, deadline), late=lambda late: late.close()
    )
    try:
        yield client
    finally:
        with suppress(Exception):
            Deadline(CLOSE_S).run(client.close)


def _made(
    kind: Callable[..., Any], settings: KafkaSettings, config: Mapping[str, Any], deadline: Deadline
) -> Any:
    if "proxy_url" not in settings.client:
        reach(settings.servers, deadline.within(REACH_S))
    # At DEBUG the client logs passwords; below CRITICAL, a screenful per second for a dead broker.
    logging.getLogger("kafka").setLevel(logging.CRITICAL)
    squeeze.use()
    connections: list[Any] = []

    def connection(**options: Any) -> Any:
        way = options.pop("proxy_url", None) or DIRECT
        stays_here = settings.stays_here
        connections.append(
            connect(settings.trouble, stays_here=stays_here, proxy_url=way, **options)
        )
        return connections[-1]

    try:
        return kind(kafka_client=connection, **config)
    except BaseException as error:
        for failed in connections:  # the client's own constructor leaves its thread and sockets
            with suppress(Exception):
                failed.close()
        if isinstance(error, CONFIGURATION):
            text = mask(f"{type(error).__name__}: {error}")  # may repeat the whole configuration
            raise UsageError(f"{settings.where}: the settings cannot be used: {text}") from None
        raise
