"""The Kafka sink while its broker freezes or dies: in time, exactly once."""

from __future__ import annotations

import logging
import threading

import pytest

from pipeline.errors import SinkError
from pipeline.records.commit import Commit
from pipeline.sinks.kafka.confluent.writer import ConfluentWriter
from pipeline.sinks.kafka.producer import PythonWriter
from pipeline.sinks.patient import PatientSink
from pipeline.sinks.sink import Receipt
from pipeline.sinks.uri import open_reader, open_sink
from tests.plain_consumer import consumed

pytestmark = [
    pytest.mark.needs_kafka,
    pytest.mark.slow,
    # kafka-python leaves the sockets of connections that fail to the garbage collector
    pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"),
]

JOB = "feedfacecafe"
ATTEMPT_S = 4.0
HASTY = {"attempt_s": ATTEMPT_S}
both_clients = pytest.mark.parametrize("client", ["kafka-python", "confluent"])


@pytest.fixture
def broker(mortal_broker):
    """Alive for the next test, too, where one fails half-way."""
    yield mortal_broker
    mortal_broker.go_on()


@pytest.fixture
def prefix(request):
    """Of the topics of one test."""
    return request.node.name.translate(str.maketrans("[]", "--"))


@pytest.fixture
def uri(broker, prefix):
    return f"{broker.uri}?topic_prefix={prefix}"


def values(uri):
    return [record.value for record in consumed(uri)]


def messages(build, sequence):
    return [build.message(sequence * 10 + number) for number in range(10)]


def expected(build, commits):
    return [m.value for n in range(1, commits + 1) for m in messages(build, n)]


class Struck:
    """A client to which something happens once, when it is about to commit."""

    def __init__(self, producer, action):
        self._struck_producer = producer
        self._struck_actions = [action]

    def __getattr__(self, name):
        return getattr(self._struck_producer, name)

    def commit_transaction(self, *limits):
        if self._struck_actions:
            self._struck_actions.pop()()
        self._struck_producer.commit_transaction(*limits)


def before(monkeypatch, action):
    """Do something between our next write and the client's commit."""
    armed = [action]
    for kind in (PythonWriter, ConfluentWriter):
        original = kind.write

        def instead(self, *arguments, original=original, **more):
            if armed:
                self._producer = Struck(self._producer, armed.pop())
            return original(self, *arguments, **more)

        monkeypatch.setattr(kind, "write", instead)


@both_clients
def test_a_broker_that_freezes_in_a_commit_and_comes_back(broker, uri, build, monkeypatch, client):
    """The client gives up, the broker commits all the same: read back, not done again."""
    sink = PatientSink(open_sink(uri, settings={**HASTY, "client": client}))
    progress = build.after(sink.claim({"cam1": JOB})["cam1"])
    sink.commit([Commit(messages(build, 1), progress)])
    thaw = threading.Timer(ATTEMPT_S + 2, broker.go_on)

    def freeze():
        broker.freeze()
        thaw.start()

    before(monkeypatch, freeze)
    for sequence in (2, 3):
        progress = build.after(progress)
        assert sink.commit([Commit(messages(build, sequence), progress)]) == Receipt(written=10)
    thaw.join()
    sink.close()
    assert values(uri) == expected(build, 3)


def test_a_commit_whose_time_ran_out_can_be_done_again(broker, uri, build, monkeypatch):
    sink = open_sink(uri, settings={"attempt_s": 3})
    patient = PatientSink(sink)
    progress = build.after(patient.claim({"cam1": JOB})["cam1"])
    patient.commit([Commit(messages(build, 1), progress)])
    before(monkeypatch, broker.freeze)
    progress = build.after(progress)
    with pytest.raises(SinkError, match="commit 2 of stream cam1: not confirmed within") as caught:
        sink.commit([Commit(messages(build, 2), progress)])
    assert caught.value.retryable
    broker.go_on()
    patient.commit([Commit(messages(build, 2), progress)])
    patient.commit([Commit(messages(build, 3), build.after(progress))])
    sink.close()
    assert values(uri) == expected(build, 3)


@both_clients
def test_a_broker_that_is_killed_and_started_again(broker, uri, build, monkeypatch, caplog, client):
    chosen = {**HASTY, "client": client}
    sink = PatientSink(open_sink(uri, settings=chosen), name="the broker")
    progress = sink.claim({"cam1": JOB})["cam1"]
    restart = threading.Thread(target=broker.start)

    def crash():
        broker.kill()
        restart.start()

    for sequence in range(1, 6):
        if sequence == 3:
            before(monkeypatch, crash)
        progress = build.after(progress)
        with caplog.at_level(logging.WARNING, logger="pipeline"):
            sink.commit([Commit(messages(build, sequence), progress)])
    restart.join()
    sink.close()
    assert "the broker is away" in caplog.text
    assert "the broker takes records again" in caplog.text
    (outage,) = sink.take_ended()
    assert outage.attempts >= 1
    assert values(uri) == expected(build, 5)
    assert [p.sequence for p in open_reader(uri).progress(JOB)] == [5]


def test_a_commit_is_given_up_when_its_broker_is_gone(broker, uri, build, monkeypatch):
    """Long before its attempt is over: until then the client would wait for a connection that it
    has lost, though the broker is back."""
    sink = open_sink(uri, settings={"attempt_s": 300})
    progress = build.after(sink.claim({"cam1": JOB})["cam1"])
    before(monkeypatch, broker.kill)
    try:
        with pytest.raises(SinkError, match="no broker within") as caught:
            sink.commit([Commit(messages(build, 1), progress)])
    finally:
        broker.start()
    assert caught.value.retryable
    assert sink.commit([Commit(messages(build, 1), progress)]) == Receipt(written=10)
    sink.close()


def test_a_claim_waits_for_a_broker_that_freezes(broker, uri, build, monkeypatch):
    first = open_sink(uri, settings=HASTY)
    first.claim({"cam1": JOB})
    thaw = threading.Timer(ATTEMPT_S + 2, broker.go_on)

    def freeze():
        broker.freeze()
        thaw.start()

    before(monkeypatch, freeze)
    second = open_sink(uri, settings=HASTY)
    claimed = second.claim({"cam1": JOB})["cam1"]
    thaw.join()
    assert claimed.epoch in (2, 3)  # 3 where the frozen claim was carried out after all
    assert second.commit([Commit(messages(build, 1), build.after(claimed))]) == Receipt(written=10)
    second.close()
    first.close()
    assert values(uri) == expected(build, 1)


def test_an_open_transaction_of_another_writer_hides_no_progress(prefix, uri, build):
    """A writer that died in a transaction keeps what was committed behind it from being read, until
    the broker gives it up; a claim of another stream waits for that, and does not go back in time.
    """
    sink = open_sink(uri, settings=HASTY)
    progress = build.after(sink.claim({"cam1": JOB})["cam1"])
    dying = open_sink(uri, settings={**HASTY, "transaction_timeout_ms": 4000})
    dying.claim({"cam2": JOB})
    writer = dying._writer
    partitions = range(8)  # of the progress topic: whichever ours is in
    writer._producer.begin_transaction()
    for number in partitions:
        writer._producer.send(f"{prefix}.progress", key=b"x", value=b"{}", partition=number)
    writer._producer.flush()
    sink.commit([Commit(messages(build, 1), progress)])
    sink.close()

    again = open_sink(uri, settings=HASTY)
    assert again.claim({"cam1": JOB})["cam1"].sequence == 1
    again.close()
    writer.drop()
