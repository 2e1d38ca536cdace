"""Calls that may never return, and addresses where nobody listens."""

from __future__ import annotations

import socket
import threading

import pytest

from pipeline.sinks.kafka.deadline import Deadline, Stalled
from pipeline.sinks.kafka.reach import Unreachable, reach
from pipeline.testing import ManualClock


def test_time_is_left_until_it_is_not():
    clock = ManualClock()
    deadline = Deadline(10, clock)
    clock.advance(4)
    assert (deadline.left_s, deadline.elapsed_s) == (6, 4)
    assert deadline.within(2).left_s == 2
    assert deadline.within(60).left_s == 6
    clock.advance(60)
    assert deadline.left_s == 0


def test_what_is_of_no_use_any_more_has_no_time_left():
    gone = []
    deadline = Deadline(10, ManualClock())
    attempt = deadline.within(4, lost=lambda: bool(gone))
    part = attempt.within(2)
    assert (attempt.left_s, part.left_s) == (4, 2)
    gone.append("broker")
    assert (attempt.left_s, part.left_s, deadline.left_s) == (0, 0, 10)


def test_results_and_errors_come_through():
    assert Deadline(60).run(lambda: 7) == 7
    with pytest.raises(KeyError, match="gone"):
        Deadline(60).run(lambda: {}["gone"])


def test_a_call_that_does_not_return_is_left_behind_and_its_result_closed():
    release, closed = threading.Event(), threading.Event()
    late = []

    def call():
        release.wait()
        return "connection"

    def close(result):
        late.append(result)
        closed.set()

    with pytest.raises(Stalled, match="no answer within"):
        Deadline(0.05).run(call, late=close)
    release.set()
    assert closed.wait(timeout=60)
    assert late == ["connection"]


def test_a_deadline_that_is_cut_is_over_at_once_also_for_what_is_within():
    cut, entered, release = threading.Event(), threading.Event(), threading.Event()

    def call():
        entered.set()
        release.wait()

    thread = threading.Thread(target=lambda: entered.wait(timeout=60) and cut.set())
    thread.start()
    deadline = Deadline(3600, cut=cut)
    with pytest.raises(Stalled, match="no answer within"):
        deadline.within(3600).run(call)
    assert deadline.left_s == 0
    release.set()
    thread.join()


def test_a_result_in_time_is_not_closed():
    late = []
    assert Deadline(60).run(lambda: "connection", late=late.append) == "connection"
    assert late == []


def test_a_server_that_listens_is_reached():
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        reach([f"127.0.0.1:{server.getsockname()[1]}"], Deadline(10))


def test_a_name_that_nobody_has_is_told_beside_a_port_that_is_closed():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        with pytest.raises(Unreachable) as caught:
            reach([f"127.0.0.1:{port}", "nobody.invalid:9092"], Deadline(0.5))
    assert f"127.0.0.1:{port}: Connection refused" in str(caught.value)
    assert "nobody.invalid:9092: " in str(caught.value)


def test_one_server_of_several_is_enough():
    with socket.socket() as server, socket.socket() as closed:
        server.bind(("127.0.0.1", 0))
        server.listen()
        closed.bind(("127.0.0.1", 0))
        ports = [sock.getsockname()[1] for sock in (closed, server)]
        reach([f"127.0.0.1:{port}" for port in ports], Deadline(10))
