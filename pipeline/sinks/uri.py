"""Sink URIs: `sqlite:PATH` and `kafka://host:port[,host:port]?topic_prefix=dinostream`.

Text -> an open sink or reader, or a broker's topics. Kafka's client is imported only where it is
asked for.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from operators.errors import UsageError
from pipeline.records.topics import TOPICS, TopicReport, require_topics
from pipeline.sinks.sink import Reader, Sink
from pipeline.sinks.sqlite.sink import SqliteReader, SqliteSink

EXAMPLES = "sqlite:results.db or kafka://localhost:9092?topic_prefix=dinostream"
PREFIX = "dinostream"
SERVER = re.compile(r"(?:[A-Za-z0-9._-]+|\[[0-9a-fA-F:]+\]):([0-9]{1,5})")
TOPIC_PREFIX = re.compile(r"[A-Za-z0-9._-]{1,100}")


@dataclass(frozen=True, slots=True)
class SqliteAddress:
    path: Path


@dataclass(frozen=True, slots=True)
class KafkaAddress:
    """Attributes: servers: `host:port` each; prefix: topics are called `prefix.NAME`."""

    servers: tuple[str, ...]
    prefix: str = PREFIX


def parse_sink_uri(uri: str) -> SqliteAddress | KafkaAddress:
    """Where a sink is.

    Raises:
        UsageError: it is neither form; the text shows both.
    """
    scheme, colon, rest = uri.partition(":")
    if colon and scheme == "sqlite":
        return _sqlite(rest)
    if colon and scheme == "kafka":
        return _kafka(rest)
    if "@" in uri:  # maybe a password: never shown
        raise UsageError(f"a sink of the kind {scheme!r} is unknown; use {EXAMPLES}")
    raise UsageError(f"sink {uri!r} is of no known kind; use {EXAMPLES}")


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
        settings: further settings of the Kafka client, by kafka-python's names.

    Raises:
        UsageError: the URI or the settings are wrong, or the file is something else.
        SinkError: it cannot be written.
    """
    address = parse_sink_uri(uri)
    if isinstance(address, SqliteAddress):
        _refuse_settings(settings)
        return SqliteSink(address.path)
    from pipeline.sinks.kafka.settings import KafkaSettings
    from pipeline.sinks.kafka.sink import KafkaSink

    return KafkaSink(KafkaSettings.of(address, settings or {}))


def open_reader(uri: str, *, settings: Mapping[str, Any] | None = None) -> Reader:
    """Open a sink for reading; arguments and errors as of `open_sink`."""
    address = parse_sink_uri(uri)
    if isinstance(address, SqliteAddress):
        _refuse_settings(settings)
        return SqliteReader(address.path)
    from pipeline.sinks.kafka.reader import KafkaReader
    from pipeline.sinks.kafka.settings import KafkaSettings

    return KafkaReader(KafkaSettings.of(address, settings or {}))


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


def _sqlite(rest: str) -> SqliteAddress:
    path = rest.removeprefix("//") if rest.startswith("///") else rest
    if not path or path.startswith("//") or path == ":memory:":
        raise UsageError(
            f"sink 'sqlite:{rest}' names no file; use sqlite:results.db or sqlite:/data/results.db"
        )
    return SqliteAddress(Path(path).expanduser())


def _kafka(rest: str) -> KafkaAddress:
    servers, _, query = rest.removeprefix("//").partition("?")
    if "@" in rest:
        raise UsageError(
            "a kafka:// sink takes no user or password; put sasl_plain_username and "
            "sasl_plain_password under the sink's settings in the configuration file"
        )
    servers = servers.rstrip("/")
    for server in servers.split(","):
        match = SERVER.fullmatch(server)
        if not rest.startswith("//") or not match or not 0 < int(match[1]) < 65536:
            raise UsageError(
                f"sink 'kafka:{rest}' names no broker at {server!r}; write "
                "kafka://host:port[,host:port], like kafka://localhost:9092"
            )
    return KafkaAddress(tuple(servers.split(",")), _prefix(query))


def _prefix(query: str) -> str:
    prefix = PREFIX
    for name, value in parse_qsl(query, keep_blank_values=True):
        if name != "topic_prefix":
            near = difflib.get_close_matches(name, ["topic_prefix"], n=1)
            hint = "did you mean topic_prefix? " if near else ""
            raise UsageError(
                f"a kafka:// sink has no option {name!r}; {hint}Only topic_prefix may stand in the "
                "address, everything else in the configuration file"
            )
        prefix = value
    if not TOPIC_PREFIX.fullmatch(prefix):
        raise UsageError(
            f"topic_prefix {prefix!r} cannot be part of a topic's name; allowed are 1-100 of "
            "A-Z a-z 0-9 . _ -"
        )
    return prefix


def _refuse_settings(settings: Mapping[str, Any] | None) -> None:
    if settings:
        raise UsageError(
            f"a sqlite: sink has no settings; got {', '.join(sorted(settings))}. Remove them"
        )
