"""A UDP port as a file: real sockets on loopback."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

from pipeline.errors import SourceError
from pipeline.media import datagrams
from pipeline.media.datagrams import Datagrams
from pipeline.media.endpoint import Endpoint

PATIENCE_S = 30.0  # for what will come
HERE = "127.0.0.1"
GROUP = "239.255.73.19"


@pytest.fixture
def sender() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(HERE))
        yield sender


@pytest.fixture
def port() -> int:
    """One that is free."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind((HERE, 0))
        return int(probe.getsockname()[1])


@pytest.mark.parametrize(
    "where", [("udp", HERE), ("udp", GROUP)], ids=["an own address", "a group"]
)
def test_what_is_sent_is_read_in_order_however_little_is_asked_for(
    where: tuple[str, str], port: int, sender: socket.socket
) -> None:
    scheme, host = where
    interface = HERE if host == GROUP else ""
    with closing(Datagrams(Endpoint(scheme, host, port, interface), PATIENCE_S)) as source:
        for data in (b"abc", b"", b"defgh", b"i"):  # an empty one is no end
            sender.sendto(data, (host, port))
        assert [source.read(size) for size in (2, 9, 3, 9, 9)] == [b"ab", b"c", b"def", b"gh", b"i"]


def test_a_group_is_shared_and_a_port_is_not(port: int, sender: socket.socket) -> None:
    group, own = Endpoint("udp", GROUP, port, HERE), Endpoint("udp", HERE, port)
    with closing(Datagrams(group, PATIENCE_S)) as one, closing(Datagrams(group, PATIENCE_S)) as two:
        sender.sendto(b"all", (GROUP, port))
        assert [one.read(9), two.read(9)] == [b"all", b"all"]
    with closing(Datagrams(own, PATIENCE_S)), pytest.raises(SourceError, match="somebody else"):
        Datagrams(own, PATIENCE_S)
    Datagrams(own, PATIENCE_S).close()  # it was left to others


def test_an_address_of_another_machine_is_told() -> None:
    with pytest.raises(SourceError, match=r"192\.0\.2\.7 is no address of this machine") as caught:
        Datagrams(Endpoint("udp", "192.0.2.7", 1234), PATIENCE_S)
    assert caught.value.retryable, "it may become one"


def test_silence_is_told_as_what_it_is(port: int, sender: socket.socket) -> None:
    with closing(Datagrams(Endpoint("udp", HERE, port), 0.05)) as source:
        with pytest.raises(SourceError, match=f"nothing has come to port {port} for 0.05 s"):
            source.read(9)
        sender.sendto(b"at last", (HERE, port))
        assert _insistent(lambda: source.read(9)) == b"at last"
        with pytest.raises(TimeoutError):
            source.read(9)


def _insistent(read: Callable[[], bytes]) -> bytes:
    for _ in range(600):
        try:
            return read()
        except SourceError:
            continue
    return b""


def test_more_than_there_is_room_for_is_no_silent_loss(
    port: int, sender: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(datagrams, "ROOM_BYTES", 2000)
    with closing(Datagrams(Endpoint("udp", HERE, port), PATIENCE_S)) as source:
        sender.sendto(bytes(2001), (HERE, port))
        with pytest.raises(OSError, match="wait to be decoded"):
            source.read(9)
