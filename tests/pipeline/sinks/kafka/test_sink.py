"""The Kafka sink on a real broker: atomic, resumable, with one writer per stream."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import time
from dataclasses import replace

import pytest

from pipeline.errors import FencedError, SinkError
from pipeline.records.commit import Commit
from pipeline.sinks.address import parse_sink_uri
from pipeline.sinks.kafka.deadline import Deadline, Stalled
from pipeline.sinks.kafka.producer import PythonWriter
from pipeline.sinks.kafka.settings import KafkaSettings
from pipeline.sinks.kafka.writer import open_writer
from pipeline.sinks.sink import Receipt
from pipeline.sinks.uri import open_reader, open_sink
from tests.plain_consumer import consumed

pytestmark = pytest.mark.needs_kafka

JOB = "feedfacecafe"
QUICK = {"attempt_s": 5}
both_clients = pytest.mark.parametrize("client", ["kafka-python", "confluent"])


@pytest.fixture
def client():
    return "kafka-python"


@pytest.fixture
def quick(client):
    return {**QUICK, "client": client}


@pytest.fixture
def sink(kafka_uri, quick):
    sink = open_sink(kafka_uri, settings=quick)
    yield sink
    sink.close()


@pytest.fixture
def unused_tcp_port(spare_ports):
    return spare_ports(1)[0]


def ids(uri, name="action"):
    return [dict(record.headers)["ce_id"].decode() for record in consumed(uri, name)]


@both_clients
def test_commit_writes_cloud_events_that_any_client_can_read(sink, kafka_uri, build):
    before_ms = time.time() * 1000
    progress = build.after(sink.claim({"cam1": JOB})["cam1"], position="3000")

    receipt = sink.commit([Commit([build.message(0), build.message(1)], progress)])

    assert receipt == Receipt(written=2)
    records = consumed(kafka_uri)
    assert [record.value for record in records] == [b'{"number":0}', b'{"number":1}']
    assert [record.key for record in records] == [b"cam1", b"cam1"]
    headers = {name: value.decode() for name, value in records[1].headers}
    assert headers == dict(build.message(1).headers)
    assert before_ms - 1 <= records[0].timestamp <= time.time() * 1000 + 1
    told = consumed(kafka_uri, "progress")[-1]
    assert told.key == f"{JOB}/cam1".encode()
    assert json.loads(told.value) == json.loads(progress.to_json())
    assert dict(told.headers)["ce_type"] == b"dinostream.progress.v1"

    last = build.after(progress, status="ok", operators={"action": "AAE="})
    sink.commit([Commit([], last)])
    assert consumed(kafka_uri, "progress")[-1].value is None, (
        "a tombstone: its end is with the claims"
    )
    told = consumed(kafka_uri, "claims")[-1]
    assert told.key == f"{JOB}/cam1".encode()
    assert json.loads(told.value)["progress"] == json.loads(last.settled().to_json())
    with pytest.raises(SinkError, match="commit 3 follows the end"):
        sink.commit([Commit([], build.after(last))])


@both_clients
def test_a_stream_stays_in_one_partition_in_order(sink, kafka_uri, build):
    claimed = sink.claim({"cam1": JOB, "cam2": JOB, "cam3": JOB})
    for stream, progress in claimed.items():
        sink.commit(
            [Commit([build.message(number, stream) for number in range(20)], build.after(progress))]
        )
    records = consumed(kafka_uri)
    for stream in claimed:
        mine = [record for record in records if record.key == stream.encode()]
        assert len({record.partition for record in mine}) == 1
        assert [json.loads(record.value)["number"] for record in mine] == list(range(20))


def test_a_commit_done_again_writes_nothing(sink, kafka_uri, build):
    progress = build.after(sink.claim({"cam1": JOB})["cam1"])
    sink.commit([Commit([build.message(0)], progress)])
    assert sink.commit([Commit([build.message(0)], progress)]) == Receipt(repeated=1)
    assert len(consumed(kafka_uri)) == 1


def test_chunks_of_several_streams_are_written_together_and_done_ones_are_left_out(
    sink, kafka_uri, build
):
    one, two = (build.after(p) for p in sink.claim({"cam1": JOB, "cam2": JOB}).values())
    first = Commit([build.message(0, "cam1")], one)
    sink.commit([first])
    others = [
        Commit([build.message(1, "cam1")], build.after(one)),
        Commit([build.message(0, "cam2")], two),
    ]
    assert sink.commit([first, *others]) == Receipt(written=2, repeated=1)
    assert len(consumed(kafka_uri)) == 3
    third = Commit([build.message(2, "cam1")], build.after(build.after(one)))
    later = Commit([build.message(9, "cam2")], replace(two, sequence=4))
    with pytest.raises(SinkError, match="commit 4 follows 1"):
        sink.commit([third, later])
    assert len(consumed(kafka_uri)) == 3, "all or none"


def test_another_process_goes_on_where_the_last_one_stood(kafka_uri, build):
    first = open_sink(kafka_uri, settings=QUICK)
    claimed = first.claim({"cam1": JOB, "cam2": JOB})
    assert {name: p.epoch for name, p in claimed.items()} == {"cam1": 1, "cam2": 1}
    progress = build.after(claimed["cam1"], position="9", operators={"action": "AAE="})
    first.commit([Commit([build.message(0)], progress)])
    first.close()

    second = open_sink(kafka_uri, settings=QUICK)
    resumed = second.claim({"cam1": JOB, "cam2": JOB})
    assert resumed["cam1"].epoch == 2
    assert (resumed["cam1"].sequence, resumed["cam1"].position) == (1, "9")
    assert resumed["cam1"].operators == {"action": "AAE="}
    assert second.claim({"cam1": JOB}, fresh=True)["cam1"].sequence == 0
    second.close()
    reader = open_reader(kafka_uri)
    assert [p.epoch for p in reader.progress(JOB)] == [3, 2]
    assert list(reader.progress("another")) == []


def test_epochs_of_a_stream_rise_over_all_jobs(sink, kafka_uri):
    sink.claim({"cam1": JOB})
    other = open_sink(kafka_uri, settings=QUICK)
    assert other.claim({"cam1": "another"})["cam1"].epoch == 2
    other.close()


@both_clients
def test_who_held_a_stream_before_is_refused_and_does_no_harm(sink, kafka_uri, build, quick):
    stale = build.after(sink.claim({"cam1": JOB})["cam1"])
    new = open_sink(kafka_uri, settings=quick)
    progress = build.after(new.claim({"cam1": JOB})["cam1"])
    with pytest.raises(FencedError, match=r"stream cam1: another writer.*epoch 2, this one is 1"):
        sink.commit([Commit([build.message(0)], stale)])
    assert new.commit([Commit([build.message(1)], progress)]) == Receipt(written=1)
    assert [record.value for record in consumed(kafka_uri)] == [b'{"number":1}']
    new.close()


@both_clients
def test_a_writer_fenced_by_no_claimant_goes_on(sink, kafka_uri, build):
    """A client that comes back from the dead takes the transactional id, but not the streams."""
    progress = build.after(sink.claim({"cam1": JOB})["cam1"])
    settings = KafkaSettings.of(parse_sink_uri(kafka_uri), QUICK)
    ghost = PythonWriter(settings, sink._writer.name, Deadline(20))
    assert sink.commit([Commit([build.message(0)], progress)]) == Receipt(written=1)
    assert sink.commit([Commit([build.message(1)], build.after(progress))]) == Receipt(written=1)
    assert len(consumed(kafka_uri)) == 2
    ghost.drop()


def test_commits_need_a_claim_and_come_in_order(sink, build):
    progress = build.after(sink.claim({"cam1": JOB})["cam1"])
    with pytest.raises(SinkError, match="commit 2 follows 0"):
        sink.commit([Commit([], build.after(progress))])
    with pytest.raises(SinkError, match="without a claim"):
        sink.commit([Commit([], build.after(type(progress)(JOB, "cam2", epoch=1)))])


@both_clients
def test_nothing_of_an_open_or_aborted_transaction_is_seen(sink, kafka_uri, build, quick):
    sink.publish([build.message(0)])
    settings = KafkaSettings.of(parse_sink_uri(kafka_uri), quick)
    writer = open_writer(settings, f"{settings.prefix}-torn", Deadline(20))
    with pytest.raises(AttributeError):  # after the first message was acknowledged
        writer.write([[build.message(1)]], Deadline(20), then=lambda _: [None])
    assert [record.value for record in consumed(kafka_uri)] == [b'{"number":0}']
    assert len(consumed(kafka_uri, committed=False)) == 2
    writer.abort(Deadline(20))
    writer.drop()
    sink.publish([build.message(2)])
    assert [record.value for record in consumed(kafka_uri)] == [b'{"number":0}', b'{"number":2}']


def test_the_partitions_of_a_commit_are_asked_for_together(sink, kafka_uri, build, monkeypatch):
    """However many requests a broker has to be asked again with, each is for all of them."""
    progress = build.after(sink.claim({"cam1": JOB})["cam1"])
    sink.commit([Commit([build.message(0)], progress)])  # with a mark, whose place is known late
    client = sink._writer._producer._sender._client
    asked, send = [], client.send

    def seen(node, request, **more):
        asked.append(request)
        return send(node, request, **more)

    monkeypatch.setattr(client, "send", seen)
    many = [build.message(number) for number in range(1, 500)]  # its thread is up before the last
    sink.commit([Commit(many, build.after(progress))])
    named = [
        [topic.name.rpartition(".")[2] for topic in request.v3_and_below_topics]
        for request in asked
        if type(request).__name__.startswith("AddPartitionsToTxn")
    ]
    assert named
    assert all(sorted(topics) == ["action", "progress"] for topics in named)


def test_a_transaction_whose_epoch_the_client_bumps_is_not_committed_in_part(
    sink, kafka_uri, build, monkeypatch
):
    """As it does by itself after some errors: the broker then aborts what was acknowledged, and
    whatever is sent behind it would be a transaction of its own."""
    progress = build.after(sink.claim({"cam1": JOB})["cam1"])
    producer = sink._writer._producer
    flush = producer.flush

    def bumped(**arguments):
        flush(**arguments)
        result = producer._transaction_manager
        result.bump_producer_id_and_epoch()
        producer._sender.wakeup()
        while result.is_bumping_epoch():
            time.sleep(0.01)

    monkeypatch.setattr(producer, "flush", bumped)
    assert sink.commit([Commit([build.message(0)], progress)]) == Receipt(written=1)
    assert sink._writer._producer is not producer, "given up, and all of it done again"
    assert [record.value for record in consumed(kafka_uri)] == [b'{"number":0}']
    assert [p.sequence for p in open_reader(kafka_uri).progress(JOB)] == [1]


@both_clients
def test_a_lost_confirmation_of_an_end(sink, kafka_uri, build):
    """There is nothing left to hold then, so nobody opens another writer."""
    progress = build.after(sink.claim({"cam1": JOB})["cam1"], status="ok")
    writer = sink._writer
    write = writer.write

    def lost(*arguments, **more):
        write(*arguments, **more)
        raise Stalled("no answer")

    writer.write = lost
    assert sink.commit([Commit([build.message(0)], progress)]) == Receipt(written=1)
    assert len(consumed(kafka_uri)) == 1


WRITER = """
import sys
from dataclasses import replace
from pipeline.records.commit import Commit
from pipeline.records.record import Message
from pipeline.sinks.uri import open_sink
sink = open_sink(sys.argv[1], settings={"attempt_s": 5, "client": sys.argv[2]})
progress = sink.claim({"s": "j"})["s"]
while True:
    progress = replace(progress, sequence=progress.sequence + 1)
    headers = [{"ce_id": f"{progress.sequence}.{number}"} for number in range(10)]
    messages = [Message("action", "s", ids, bytes(30_000)) for ids in headers]
    sink.commit([Commit(messages, progress)])
    print(progress.sequence, flush=True)
"""


@both_clients
def test_a_killed_writer_leaves_whole_commits(kafka_uri, build, client, quick):
    """kill -9 in the middle of commits, three times; each run goes on where the last one stood."""
    told = 0
    for _ in range(3):
        child = subprocess.Popen(
            [sys.executable, "-c", WRITER, kafka_uri, client], stdout=subprocess.PIPE, text=True
        )
        assert child.stdout is not None
        first = told
        while told < first + 10:
            told = int(child.stdout.readline())
        child.kill()
        child.wait()
        child.stdout.close()
        sink = open_sink(kafka_uri, settings=quick)
        sequence = sink.claim({"s": "j"})["s"].sequence
        sink.close()
        assert sequence >= told
        told = sequence
        assert ids(kafka_uri) == [f"{n}.{i}" for n in range(1, told + 1) for i in range(10)]


@both_clients
def test_large_records_arrive_whole(sink, kafka_uri, build):
    noise = hashlib.shake_128(b"noise").digest(100_000 + 250)
    progress = sink.claim({"cam1": JOB})["cam1"]
    for start in range(0, 250, 50):
        progress = build.after(progress)
        numbers = range(start, start + 50)
        sink.commit(
            [Commit([build.message(n, data=noise[n : n + 100_000]) for n in numbers], progress)]
        )
    records = consumed(kafka_uri)
    assert [record.value == noise[n : n + 100_000] for n, record in enumerate(records)] == (
        [True] * 250
    )


@both_clients
def test_a_transaction_that_the_broker_finds_too_long_is_told_at_once(kafka_uri, quick):
    sink = open_sink(kafka_uri, settings={**quick, "transaction_timeout_ms": 3_600_000})
    with pytest.raises(SinkError, match=r"its transaction\.max\.timeout\.ms") as caught:
        sink.claim({"cam1": JOB})
    assert not caught.value.retryable
    sink.close()


def test_a_broker_that_is_not_there_is_named(build, unused_tcp_port):
    uri = f"kafka://127.0.0.1:{unused_tcp_port}"
    sink = open_sink(uri, settings={"attempt_s": 1})
    said = rf"{uri}: connecting: no broker within 1 s \(.*Connection refused\)"
    with pytest.raises(SinkError, match=said) as caught:
        sink.claim({"cam1": JOB})
    assert caught.value.retryable
    with pytest.raises(SinkError, match=rf"{uri}: listing topics: no broker within 1 s"):
        next(open_reader(uri, settings={"attempt_s": 1}).records())
    sink.close()
