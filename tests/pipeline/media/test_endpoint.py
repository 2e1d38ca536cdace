"""Addresses of bare sockets, as ffmpeg writes them."""

from __future__ import annotations

import pytest

from pipeline.errors import SourceError
from pipeline.media.endpoint import Endpoint


@pytest.mark.parametrize(
    ("url", "endpoint", "is_group"),
    [
        ("udp://@239.1.1.1:1234", Endpoint("udp", "239.1.1.1", 1234), True),
        ("udp://239.1.1.1:1234/", Endpoint("udp", "239.1.1.1", 1234), True),
        ("udp://0.0.0.0:1234", Endpoint("udp", "0.0.0.0", 1234), False),
        ("UDP://@[ff15::1]:1234", Endpoint("udp", "ff15::1", 1234), True),
        ("tcp://encoder.local:9000", Endpoint("tcp", "encoder.local", 9000), False),
        (
            "udp://@239.1.1.1:1234?localaddr=10.0.0.5",
            Endpoint("udp", "239.1.1.1", 1234, "10.0.0.5"),
            True,
        ),
    ],
)
def test_what_an_address_means(url: str, endpoint: Endpoint, is_group: bool) -> None:
    assert Endpoint.of(url) == endpoint
    assert endpoint.is_group == is_group


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("udp://@239.1.1.1", "names no host and port; want udp://HOST:PORT"),
        ("udp://@:1234", "names no host and port"),
        ("tcp://h:0", "names no host and port"),
        ("tcp://[::1:1234", "names no host and port"),
        ("tcp://h:66000", "names no host and port"),
        ("udp://10.0.0.1@232.1.1.1:1234", "names a user"),
        ("tcp://h:1234/live", "has a path, which a socket does not; want tcp://HOST:PORT"),
        ("udp://@239.1.1.1:1234?fifo_size=9&ttl=2", "has fifo_size, ttl behind its ?"),
        ("udp://127.0.0.1:1234?localaddr=10.0.0.5", "at which an IPv4 group is joined"),
        ("udp://@239.1.1.1:1234?localaddr=eth0", "localaddr is the IPv4 address"),
    ],
)
def test_what_is_no_address_is_told(url: str, told: str) -> None:
    with pytest.raises(SourceError) as caught:
        Endpoint.of(url)
    assert told in str(caught.value)
