"""What a claim reads: as little with a million records in the progress topic as with ten."""

from __future__ import annotations

from dataclasses import replace

import pytest
from kafka import KafkaConsumer
from kafka.protocol.producer import ProduceRequest
from kafka.record.memory_records import MemoryRecordsBuilder

from pipeline.records import mark
from pipeline.records.commit import Commit
from pipeline.records.message import progress_message
from pipeline.sinks.address import parse_sink_uri
from pipeline.sinks.kafka import progress as kafka_progress
from pipeline.sinks.uri import create_topics, open_reader, open_sink
from pipeline.stream.progress import Progress

pytestmark = pytest.mark.needs_kafka

JOB = "feedfacecafe"
SETTINGS = {"attempt_s": 15}
CAMERAS = [f"cam{number}" for number in range(10)]


@pytest.fixture
def uri(kafka_uri):
    """With all progress in one partition, where everybody is in everybody's way."""
    create_topics(kafka_uri, settings=SETTINGS, partitions=1)
    return kafka_uri


@pytest.fixture
def read(monkeypatch):
    """Counts the records that are read to find out where streams stand, by topic."""
    counted = {"claims": 0, "progress": 0}
    original = kafka_progress.committed_records

    def counting(*arguments):
        for record in original(*arguments):
            counted[record.topic.rpartition(".")[2]] += 1
            yield record

    monkeypatch.setattr(kafka_progress, "committed_records", counting)
    return counted


def killed(sink):
    """As after kill -9: nothing is said, a transaction may be open."""
    sink._writer.drop()


def commit(sink, standing, times):
    for _ in range(times):
        for stream, progress in standing.items():
            standing[stream] = replace(progress, sequence=progress.sequence + 1)
            sink.commit([Commit([], standing[stream])])


def test_the_newest_progress_is_found_behind_its_mark(uri, monkeypatch, read):
    """However the commits of several streams lie, and whoever died."""
    monkeypatch.setattr(mark, "REACH", 7)
    first, second = (open_sink(uri, settings=SETTINGS) for _ in range(2))
    busy, slow = first.claim({"busy": JOB}), second.claim({"slow": JOB, "silent": JOB})
    commit(second, {"slow": slow["slow"]}, 1)
    for round_ in range(1, 6):
        commit(first, busy, round_)
        held = {"slow": replace(slow["slow"], sequence=round_)}
        commit(second, held, 1)
    killed(first)
    killed(second)
    found = {one.stream: one.sequence for one in open_reader(uri).progress()}
    assert found == {"busy": 15, "slow": 6, "silent": 0}
    third = open_sink(uri, settings=SETTINGS)
    read.update(progress=0)
    standing = third.claim({"busy": JOB, "slow": JOB, "silent": JOB})
    assert {stream: one.sequence for stream, one in standing.items()} == found
    assert read["progress"] <= 2 * mark.REACH
    commit(third, standing, 1)
    third.close()
    assert {one.stream: one.sequence for one in open_reader(uri).progress()} == {
        stream: sequence + 1 for stream, sequence in found.items()
    }


def test_the_newest_progress_of_streams_that_were_committed_together_is_found(uri, monkeypatch):
    """Several chunks of a stream, streams that end and streams that go on, in one transaction."""
    monkeypatch.setattr(mark, "REACH", 7)
    sink = open_sink(uri, settings=SETTINGS)
    standing = sink.claim(dict.fromkeys(["a", "b", "c", "ending"], JOB))
    for _ in range(4):
        together = []
        for stream, progress in standing.items():
            for _ in (1, 2):
                progress = replace(progress, sequence=progress.sequence + 1)
                together.append(Commit([], progress))
            standing[stream] = progress
        sink.commit(together)
    ended = replace(standing.pop("ending"), sequence=9, status="ok")
    last = {stream: replace(one, sequence=9) for stream, one in standing.items()}
    sink.commit([Commit([], ended), *(Commit([], one) for one in last.values())])
    killed(sink)
    found = {one.stream: (one.sequence, one.status) for one in open_reader(uri).progress()}
    assert found == {"ending": (9, "ok")} | dict.fromkeys(standing, (9, "running"))
    again = open_sink(uri, settings=SETTINGS)
    claimed = again.claim(dict.fromkeys([*standing, "ending"], JOB))
    assert {stream: (one.sequence, one.epoch) for stream, one in claimed.items()} == {
        "ending": (9, 1)
    } | dict.fromkeys(standing, (9, 2))
    again.close()


@pytest.mark.slow
def test_a_claim_costs_the_same_beside_a_million_records(uri, read):
    sink = open_sink(uri, settings=SETTINGS)
    standing = sink.claim(dict.fromkeys(CAMERAS, JOB))
    commit(sink, standing, 2)
    killed(sink)
    costs = []
    for records in (0, 1_000_000):
        fill(uri, records)
        read.update(claims=0, progress=0)
        sink = open_sink(uri, settings=SETTINGS)
        claimed = sink.claim(dict.fromkeys([*CAMERAS, f"new{records}"], JOB))
        costs.append(dict(read))
        new = claimed.pop(f"new{records}")
        assert (new.epoch, new.sequence) == (1, 0)
        assert {s: p.sequence for s, p in claimed.items()} == {
            s: p.sequence for s, p in standing.items()
        }
        standing = claimed
        commit(sink, standing, 2)
        killed(sink)
    few, many = costs
    assert few["progress"] <= 2 * len(CAMERAS)
    assert many["progress"] <= 2 * mark.REACH
    assert many["claims"] <= few["claims"] + 4 * len(CAMERAS)
    sequences = {one.stream: one.sequence for one in open_reader(uri).progress()}
    assert sequences == {s: p.sequence for s, p in standing.items()} | {"new0": 0, "new1000000": 0}


def fill(uri, count, batch=10_000):
    """So many commits of cameras of another job: one batch, sent again and again."""
    address = parse_sink_uri(uri)
    builder = MemoryRecordsBuilder(2, 3, 1 << 30)  # format 2, lz4
    gaps = {"depth": {"intervals_us": [200_000] * 50, "last_us": 7}}
    for number in range(batch):
        progress = Progress("another", CAMERAS[number % 10], sequence=number, epoch=9, gaps=gaps)
        message = progress_message(progress)
        builder.append(None, message.key.encode(), message.value)
    builder.close()
    consumer = KafkaConsumer(bootstrap_servers=list(address.servers))
    consumer.topics()
    manager = consumer._client._manager
    (node,) = [broker.node_id for broker in manager.cluster.brokers()]
    topic = ProduceRequest.TopicProduceData
    partition = topic.PartitionProduceData(index=0, records=builder.buffer())
    request = ProduceRequest(
        transactional_id=None,
        acks=-1,
        timeout_ms=30_000,
        topic_data=[topic(name=f"{address.prefix}.progress", partition_data=[partition])],
        max_version=9,
    )

    async def produce():
        return await manager.wait_for(manager.send(request, node_id=node), 30_000)

    for _ in range(count // batch):
        answer = manager.run(produce)
        assert answer.responses[0].partition_responses[0].error_code == 0, answer
    consumer.close()
