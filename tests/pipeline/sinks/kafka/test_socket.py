"""A client that is closed while it connects closes that socket; a proxy that is set is kept."""

from __future__ import annotations

import gc
import socket
from collections.abc import Iterator

import pytest
from kafka.net.compat import KafkaNetClient
from kafka.net.inet import KafkaNetSocket, create_connection
from kafka.net.selector import NetworkSelector
from kafka.net.socks5 import Socks5Proxy
from kafka.net.transport import KafkaTCPTransport

from pipeline.sinks.kafka.socket import DIRECT, DirectSocket


@pytest.fixture
def silent() -> Iterator[int]:
    """Port of a server that lets one in and says nothing."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        yield server.getsockname()[1]


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[socket.socket]:
    """Sockets that clients made."""
    sockets: list[socket.socket] = []
    make = KafkaNetSocket.socket

    def noted(self: KafkaNetSocket, *kind: int) -> socket.socket:
        sockets.append(make(self, *kind))
        return sockets[-1]

    monkeypatch.setattr(KafkaNetSocket, "socket", noted)
    return sockets


def connecting(port: int, polls: int) -> KafkaNetClient:
    client = KafkaNetClient(bootstrap_servers=[f"127.0.0.1:{port}"], proxy_url=DIRECT)
    broker = client._manager.cluster.bootstrap_brokers()[0]
    client.maybe_connect(broker.node_id)
    for _ in range(polls):
        client.poll(timeout_ms=20)
    return client


@pytest.mark.parametrize("polls", [0, 1, 3])
@pytest.mark.parametrize("full", [False, True])
def test_a_client_closed_while_it_connects_leaves_no_socket(silent, made, full, polls):
    others = [socket.create_connection(("127.0.0.1", silent)) for _ in range(full)]
    client = connecting(silent, polls)
    client.close()

    assert made
    assert all(one.fileno() == -1 for one in made), "open until somebody collects it"
    for one in others:
        one.close()
    del client
    gc.collect()  # what is left is warned of here, not in a later test


def test_a_connection_that_is_closed_before_all_is_sent_leaves_no_socket(silent, made):
    loop = NetworkSelector()
    sock = loop.run(create_connection, loop, "127.0.0.1", silent, (), DIRECT)
    transport = KafkaTCPTransport(loop, sock)
    transport.write(b"a last word")
    transport.close()
    loop.close()

    assert [one.fileno() for one in made] == [-1]


def test_ways_are_found_by_their_scheme():
    assert type(KafkaNetSocket(DIRECT)) is DirectSocket
    assert type(KafkaNetSocket("socks5://127.0.0.1:1080")) is Socks5Proxy
