"""Sink addresses: what they mean, and what is said to those that mean nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from operators.errors import UsageError
from pipeline.sinks.address import KafkaAddress, SqliteAddress, parse_sink_uri
from pipeline.sinks.sqlite.reader import SqliteReader
from pipeline.sinks.sqlite.sink import SqliteSink
from pipeline.sinks.uri import open_reader, open_sink


@pytest.mark.parametrize(
    ("uri", "address"),
    [
        ("sqlite:results.db", SqliteAddress(Path("results.db"))),
        ("sqlite:/data/r.db", SqliteAddress(Path("/data/r.db"))),
        ("sqlite:///data/r.db", SqliteAddress(Path("/data/r.db"))),
        ("sqlite:a b?c#d.db", SqliteAddress(Path("a b?c#d.db"))),
        ("kafka://localhost:9092", KafkaAddress(("localhost:9092",), "dinostream")),
        ("kafka://a:1,b.c-d:65535/?topic_prefix=x.y", KafkaAddress(("a:1", "b.c-d:65535"), "x.y")),
        ("kafka://[::1]:9092", KafkaAddress(("[::1]:9092",), "dinostream")),
    ],
)
def test_addresses(uri, address):
    assert parse_sink_uri(uri) == address


def test_a_home_folder_is_found():
    address = parse_sink_uri("sqlite:~/r.db")
    assert isinstance(address, SqliteAddress)
    assert address.path == Path.home() / "r.db"


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        ("results.db", "use sqlite:results.db or kafka://"),
        ("postgres://x/y", "of no known kind"),
        ("sqlite:", "names no file"),
        ("sqlite://host/r.db", "names no file"),
        ("sqlite::memory:", "names no file"),
        ("kafka://", "names no broker at ''"),
        ("kafka:localhost:9092", "kafka://host:port"),
        ("kafka://localhost", "names no broker at 'localhost'"),
        ("kafka://a:1,b", "names no broker at 'b'"),
        ("kafka://a:0", "names no broker"),
        ("kafka://a:65536", "names no broker"),
        ("kafka://a:1?topic_prefx=x", "did you mean topic_prefix"),
        ("kafka://a:1?acks=0", "no option 'acks'"),
        ("kafka://a:1?topic_prefix=", "topic_prefix ''"),
        ("kafka://a:1?topic_prefix=a/b", "topic_prefix 'a/b'"),
    ],
)
def test_addresses_that_mean_nothing(uri, said):
    with pytest.raises(UsageError, match=said.replace("?", r"\?")):
        parse_sink_uri(uri)


@pytest.mark.parametrize("uri", ["kafka://me:hunter2@a:1", "amqp://me:hunter2@a:1"])
def test_passwords_in_an_address_are_refused_and_not_repeated(uri):
    with pytest.raises(UsageError) as caught:
        parse_sink_uri(uri)
    assert "hunter2" not in str(caught.value)


def test_open_sink_and_reader(tmp_path):
    uri = f"sqlite:{tmp_path}/r.db"
    sink = open_sink(uri)
    assert isinstance(sink, SqliteSink)
    reader = open_reader(uri)
    assert isinstance(reader, SqliteReader)
    reader.close()
    sink.close()


def test_a_file_has_no_settings(tmp_path):
    for opener in (open_sink, open_reader):
        with pytest.raises(UsageError, match="a sqlite: sink has no settings but retain; got acks"):
            opener(f"sqlite:{tmp_path}/r.db", settings={"acks": 1})
