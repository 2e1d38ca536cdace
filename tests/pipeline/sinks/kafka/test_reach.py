"""Whether a server takes connections: every one that is asked gets an answer of its own."""

from __future__ import annotations

import socket

import pytest

from pipeline.sinks.kafka.deadline import Deadline
from pipeline.sinks.kafka.reach import Unreachable, reach

LONG = f"{'b' * 64}.example"  # a part of a name has 63 letters at most


def test_a_name_that_no_host_can_have_is_told_and_waited_for_no_longer_than_others():
    with pytest.raises(Unreachable, match=f"{LONG}:9092: {LONG} is no name of a host"):
        reach([f"{LONG}:9092"], Deadline(2))


def test_one_that_listens_is_enough():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        reach([f"{LONG}:9092", f"127.0.0.1:{listener.getsockname()[1]}"], Deadline(60))
