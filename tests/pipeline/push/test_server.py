"""Who gets in: one at a time, and only with the password."""

import contextlib
import socket
from urllib.parse import urlsplit

import pytest

from operators.errors import UsageError
from pipeline import Push
from pipeline.secrets import mask


def test_nobody_reads_without_the_password(push, client, noise):
    assert client(push, password="guessed").status == 401
    assert client(push, password="").status == 401
    reader = client(push)
    assert reader.status == 200
    push.put(noise(1)[0])
    push.close()
    assert len([*reader.frames()]) == 1


def test_a_second_reader_is_refused_until_the_first_has_gone(push, client, noise):
    first = client(push)
    assert client(push).status == 409
    push.put(noise(1)[0])
    first.close()
    second = client(push, until_free=True)
    push.put(noise(1)[0])
    push.close()
    assert len([*second.frames()]) == 1


@pytest.mark.parametrize("words", [b"", b"hello\r\n\r\n", b"GET / HTTP/1.1\r\n", b"\0" * 70_000])
def test_whoever_talks_nonsense_is_in_nobodys_way(push, client, noise, words):
    parts = urlsplit(push.url)
    with socket.create_connection((parts.hostname, parts.port)) as stranger:
        with contextlib.suppress(ConnectionError):  # it may be told so before it has finished
            stranger.sendall(words)
        reader = client(push)
        push.put(noise(1)[0])
        push.close()
        assert len([*reader.frames()]) == 1


def test_only_loopback_and_each_with_a_password_of_its_own(push):
    with Push() as other:
        ours, others = urlsplit(push.url), urlsplit(other.url)
    assert ours.hostname == others.hostname == "127.0.0.1"
    assert ours.password != others.password
    assert len(ours.password) >= 32
    assert ours.password not in mask(push.url)


def test_an_address_of_ipv6(client, noise):
    with Push("::1") as push:
        assert urlsplit(push.url).hostname == "::1"
        reader = client(push)
        push.put(noise(1)[0])
    assert len([*reader.frames()]) == 1


def test_a_port_that_is_named(spare_ports, client):
    """Free again at once, for the program that is started anew."""
    (port,) = spare_ports(1)
    for _ in range(2):
        with Push(port=port) as push:
            assert urlsplit(push.url).port == port
            assert client(push).status == 200


@pytest.mark.parametrize("place", [("127.0.0.1", 70_000), ("192.0.2.1", 0), ("nowhere.invalid", 0)])
def test_where_nobody_can_listen(place):
    with pytest.raises(UsageError, match="want a name or an address of this machine"):
        Push(*place)


def test_a_port_that_is_taken(push):
    with pytest.raises(UsageError, match=r"cannot listen at .* in use"):
        Push(port=urlsplit(push.url).port)


def test_a_password_of_ones_own(client):
    with Push(password="correct horse/battery@staple") as push:
        assert client(push, password="correct horse/battery@staple").status == 200
        assert urlsplit(push.url).hostname == "127.0.0.1"


def test_a_password_that_can_be_guessed():
    with pytest.raises(UsageError, match="16 characters or more, got 3"):
        Push(password="abc")


def test_no_address_is_not_every_address():
    with pytest.raises(UsageError, match="an address of this machine, got none"):
        Push("")
