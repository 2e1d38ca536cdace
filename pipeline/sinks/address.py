"""Sink URIs: `sqlite:PATH` and `kafka://host:port[,host:port]?topic_prefix=dinostream`. Pure."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl

from operators.errors import UsageError

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
