"""A sink's URI -> an open sink or reader, or a broker's topics.

Kafka's client is imported only where it is asked for.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from operators.errors import UsageError
from pipeline.errors import NoDatabase
from pipeline.records.topics import TOPICS, TopicReport, require_topics
from pipeline.sinks.address import KafkaAddress, SqliteAddress, parse_sink_uri
from pipeline.sinks.sink import Reader, Sink
from pipeline.sinks.sqlite.check import check_database
from pipeline.sinks.sqlite.reader import SqliteReader
from pipeline.sinks.sqlite.retention import Retention, retention_of
from pipeline.sinks.sqlite.sink import SqliteSink

LOOK_S = 0.2  # how often it is looked for a database that is not there yet


def sink_name(uri: str) -> str:
    """What a sink is, for a person: the broker at its address, or the database at its path."""
    address = parse_sink_uri(uri)
    if isinstance(address, SqliteAddress):
        return f"the database {address.path}"
    return f"the broker {','.join(address.servers)}"


def open_sink(uri: str, *, settings: Mapping[str, Any] | None = None) -> Sink:
    """Open a sink for writing.

    Args:
        uri: where.
        settings: further settings of the Kafka client, by kafka-python's names; of a database
            `retain`.

    Raises:
        UsageError: the URI or the settings are wrong, or the file is something else.
        SinkError: it cannot be written.
    """
    address = parse_sink_uri(uri)
    if isinstance(address, SqliteAddress):
        return SqliteSink(address.path, retention=_retention(settings))
    from pipeline.sinks.kafka.settings import KafkaSettings
    from pipeline.sinks.kafka.sink import KafkaSink

    return KafkaSink(KafkaSettings.of(address, settings or {}))


def check_sink(uri: str, *, settings: Mapping[str, Any] | None = None) -> None:
    """Make sure that records can go there: that the file is ours or can be made, or that a broker
    takes connections within the time of one attempt. Makes nothing. Arguments and errors as of
    `open_sink`."""
    address = parse_sink_uri(uri)
    if isinstance(address, SqliteAddress):
        _retention(settings)
        check_database(address.path)
        return
    from pipeline.sinks.kafka.admin import require_broker
    from pipeline.sinks.kafka.settings import KafkaSettings
    from pipeline.sinks.kafka.writer import usable

    require_broker(usable(KafkaSettings.of(address, settings or {})))


def open_reader(uri: str, *, settings: Mapping[str, Any] | None = None) -> Reader:
    """Open a sink for reading; arguments and errors as of `open_sink`."""
    address = parse_sink_uri(uri)
    if isinstance(address, SqliteAddress):
        _retention(settings)
        return SqliteReader(address.path)
    from pipeline.sinks.kafka.reader import KafkaReader
    from pipeline.sinks.kafka.settings import KafkaSettings

    return KafkaReader(KafkaSettings.of(address, settings or {}))


def await_reader(
    uri: str,
    *,
    settings: Mapping[str, Any] | None = None,
    tell: Callable[[str], None],
    cut: threading.Event | None = None,
) -> Reader:
    """`open_reader` for who follows: a database that nobody has written yet is waited for.

    Args:
        uri: where.
        settings: as of `open_sink`.
        tell: is told, once, that there is nothing yet.
        cut: once set, by whatever thread, it is not waited for any longer (`NoDatabase`).
    """
    told, cut = False, cut or threading.Event()
    while True:
        try:
            return open_reader(uri, settings=settings)
        except NoDatabase as error:
            if not told:
                tell(str(error))
            told = True
            if cut.wait(LOOK_S):
                raise


def create_topics(
    uri: str,
    *,
    settings: Mapping[str, Any] | None = None,
    partitions: int | None = None,
    replication: int = -1,
    names: Sequence[str] = (),
) -> list[TopicReport]:
    """Make the topics of a `kafka://` sink; those that exist are compared and left as they are.

    Args:
        uri: the sink.
        settings: further settings of the client, as of `open_sink`.
        partitions: instead of the table's; single-partition topics keep their one.
        replication: copies of each, -1 for the broker's default.
        names: which topics; all where none is named.

    Raises:
        UsageError: the sink has no topics to make, or a name is unknown.
        SinkError: the cluster does not answer, or refuses.
    """
    address = parse_sink_uri(uri)
    if not isinstance(address, KafkaAddress):
        raise UsageError(f"{uri} has no topics to create; they are for kafka://host:port sinks")
    require_topics(names, ())
    topics = [TOPICS[name] for name in names or TOPICS]
    if partitions is not None:
        topics = [replace(t, partitions=partitions) if t.partitions > 1 else t for t in topics]
    from pipeline.sinks.kafka.admin import make_topics
    from pipeline.sinks.kafka.settings import KafkaSettings

    return make_topics(KafkaSettings.of(address, settings or {}), topics, replication)


def _retention(settings: Mapping[str, Any] | None) -> Retention | None:
    """How much a database keeps, all that can be set of one; None where nothing is said."""
    others = sorted(set(settings or ()) - {"retain"})
    if others:
        raise UsageError(
            f"a sqlite: sink has no settings but retain; got {', '.join(others)}. Remove them"
        )
    return retention_of(settings) if settings else None
