"""Requests are told apart however their bytes come, and every byte arrives, later."""

from __future__ import annotations

import socket
import struct
import time
from collections import Counter

import pytest

from benchmarks.delivery.line import Frames, Line

REQUESTS = [(0, 300), (26, 0), (3, 10), (0, 1)]  # kind, bytes behind it


def framed(kind, size):
    return struct.pack(">ih", size + 2, kind) + bytes(size)


@pytest.mark.parametrize("piece", [1, 2, 5, 7, 1000])
def test_requests_are_counted_by_kind_however_they_are_cut(piece):
    counted = Counter()
    frames = Frames(counted)
    data = b"".join(framed(*request) for request in REQUESTS)
    for start in range(0, len(data), piece):
        frames.see(data[start : start + piece])
    assert counted == {"Produce": 2, "EndTxn": 1, "others": 1}


def test_what_goes_over_a_line_comes_back_whole_and_later():
    with socket.create_server(("127.0.0.1", 0)) as broker:
        line = Line(broker.getsockname()[1])
        line.delay_s = 0.05
        with socket.create_connection(("127.0.0.1", line.port)) as client:
            began_s = time.monotonic()
            client.sendall(framed(0, 100_000))
            with broker.accept()[0] as server:
                received = b""
                while len(received) < 100_006:
                    received += server.recv(1 << 16)
                server.sendall(b"answer")
                assert client.recv(100) == b"answer"
            assert time.monotonic() - began_s >= 0.1
    assert received == framed(0, 100_000)
    assert line.requests == {"Produce": 1}
