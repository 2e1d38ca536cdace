"""Addresses of a cluster some of which are of brokers that are frozen, or have no power."""

from __future__ import annotations

import socket
from contextlib import ExitStack

import pytest

from pipeline.errors import SinkError
from pipeline.sinks.address import parse_sink_uri
from pipeline.sinks.kafka.deadline import Deadline
from pipeline.sinks.kafka.reach import reach
from pipeline.sinks.uri import open_reader, open_sink

pytestmark = pytest.mark.needs_kafka

JOB = "feedfacecafe"
SETTINGS = {"attempt_s": 15}


@pytest.fixture
def listener():
    """Makes sockets that listen and are never looked at, as those of a frozen process."""
    with ExitStack() as stack:

        def make(backlog=50):
            server = stack.enter_context(socket.socket())
            server.bind(("127.0.0.1", 0))
            server.listen(backlog)
            return f"127.0.0.1:{server.getsockname()[1]}"

        yield make


@pytest.fixture
def silent(listener):
    """The address of one that answers nothing any more, not even that it takes a connection."""
    address = listener(backlog=0)
    with ExitStack() as stack:
        for _ in range(2):
            probe = stack.enter_context(socket.socket())
            probe.setblocking(False)
            host, _, port = address.rpartition(":")
            probe.connect_ex((host, int(port)))
        yield address


def test_one_broker_that_answers_is_enough(kafka_uri, listener):
    """The client takes any address and waits for it: with five that are frozen, for a minute."""
    address = parse_sink_uri(kafka_uri)
    servers = ",".join([*(listener() for _ in range(5)), *address.servers])
    uri = f"kafka://{servers}?topic_prefix={address.prefix}"
    sink = open_sink(uri, settings=SETTINGS)
    assert sink.claim({"cam1": JOB})["cam1"].epoch == 1
    sink.close()
    assert [one.stream for one in open_reader(uri, settings=SETTINGS).progress(JOB)] == ["cam1"]


def test_none_that_answers_is_told_in_time(listener):
    sink = open_sink(f"kafka://{listener()},{listener()}", settings={"attempt_s": 1})
    with pytest.raises(SinkError, match="connecting: not confirmed within 1 s") as caught:
        sink.claim({"cam1": JOB})
    assert caught.value.retryable
    sink.close()


def test_a_machine_without_power_does_not_hide_the_others(silent, listener):
    reach([*([silent] * 20), listener()], Deadline(20))  # two seconds for each
