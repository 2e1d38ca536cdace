"""Reading Kafka as a careful consumer: committed records, each once, none of a replaced writer."""

from __future__ import annotations

import threading
from contextlib import closing

import pytest
from kafka import KafkaConsumer, KafkaProducer

from operators.errors import UsageError
from pipeline.records.commit import Commit
from pipeline.records.filter import Filter
from pipeline.records.message import wall_clock_us
from pipeline.sinks.address import parse_sink_uri
from pipeline.sinks.kafka import reading as kafka_reading
from pipeline.sinks.kafka.settings import KafkaSettings
from pipeline.sinks.reading import Plan
from pipeline.sinks.sink import Receipt
from pipeline.sinks.uri import create_topics, open_reader, open_sink

pytestmark = pytest.mark.needs_kafka

JOB = "feedfacecafe"


@pytest.fixture
def sink(kafka_uri):
    sink = open_sink(kafka_uri, settings={"attempt_s": 5})
    yield sink
    sink.close()


def read(uri, *topics, **how):
    return [record.message for record in open_reader(uri).records(topics, **how)]


def test_what_was_written_is_read_once(sink, kafka_uri, build):
    messages = [build.message(number) for number in range(100)]
    progress = build.after(sink.claim({"cam1": JOB})["cam1"])
    sink.commit([Commit(messages, progress)])
    again = build.after(sink.claim({"cam1": JOB}, fresh=True)["cam1"])
    assert sink.commit([Commit(messages, again)]) == Receipt(
        written=100
    )  # Kafka holds them twice now

    records = list(open_reader(kafka_uri).records())

    assert [record.message for record in records] == messages
    assert [record.offset for record in records] == sorted(record.offset for record in records)
    assert len({record.partition for record in records}) == 1
    assert list(open_reader(kafka_uri).progress()) == [again]


def test_a_late_record_of_a_replaced_writer_is_not_delivered(sink, kafka_uri, build):
    """Where a broker could not fence it: a sink without transactions, an older version."""
    sink.claim({"cam1": JOB})
    new = open_sink(kafka_uri, settings={"attempt_s": 5})
    progress = build.after(new.claim({"cam1": JOB})["cam1"])
    new.commit([Commit([build.message(1, epoch=2)], progress)])
    sink.publish([build.message(2, epoch=1)])
    new.commit([Commit([build.message(3, epoch=2)], build.after(progress))])
    new.close()
    assert [m.value for m in read(kafka_uri)] == [b'{"number":1}', b'{"number":3}']


def test_topics_are_chosen_listed_and_checked(sink, kafka_uri, build):
    with pytest.raises(UsageError, match="no topic 'dept'; did you mean depth"):
        read(kafka_uri, "dept")
    sink.publish(
        [build.message(1), build.message(2, topic="depth"), build.message(3, topic="mood")]
    )
    assert [m.topic for m in read(kafka_uri, "depth")] == ["depth"]
    assert sorted(m.topic for m in read(kafka_uri)) == ["action", "depth", "mood"]
    assert "mood" in open_reader(kafka_uri).topics()
    assert read(kafka_uri, from_beginning=False) == []
    assert read(kafka_uri, "embedding") == []


def test_records_of_a_stream_are_read_from_its_own_partition_alone(sink, kafka_uri, build):
    sessions = ("a1b2c3d4e5f6", "b1b2c3d4e5f6")
    messages = [
        build.message(number, stream, session=session)
        for stream in ("cam1", "cam2", "cam3")
        for session in sessions
        for number in range(5)
    ]
    sink.publish([*messages, build.message(9, "cam2", topic="depth")])
    mine = [message for message in messages if message.key == "cam2"]
    reader = open_reader(kafka_uri)
    records = list(reader.records(["action"], where=Filter(("cam2",))))
    assert [record.message for record in records] == mine
    assert len(read(kafka_uri, "action", where=Filter(("cam2", "cam3")))) == 20
    assert {m.topic for m in read(kafka_uri, where=Filter(("cam2",)))} == {"action", "depth"}
    assert read(kafka_uri, "action", where=Filter(("cam2",), sessions[1])) == mine[5:]
    assert read(kafka_uri, where=Filter(("cam2",), variant="f" * 12)) == []
    (held,) = [held for name, held in reader.holds().items() if name == "action"]
    assert (held.records >= len(messages), held.exact) == (True, False)

    settings = KafkaSettings.of(parse_sink_uri(kafka_uri), {})
    plan = Plan(("action",), Filter(("cam2",)))
    with closing(kafka_reading.KafkaReading(settings, plan)) as reading:
        reading._open()
        assert {one.partition for one in reading._find()} == {records[0].partition}


def test_records_are_read_from_and_up_to_a_time_of_publishing(sink, kafka_uri, build):
    for number in range(4):
        sink.publish([build.message(number)])
    records = list(open_reader(kafka_uri).records())
    since_us, until_us = records[1].timestamp_us, records[3].timestamp_us
    assert len({record.timestamp_us for record in records}) == 4
    assert read(kafka_uri, where=Filter(since_us=since_us, until_us=until_us)) == [
        *(records[1].message, records[2].message)
    ]
    assert read(kafka_uri, where=Filter(since_us=until_us + 1000)) == []


def test_progress_is_read_only_when_it_is_named(sink, kafka_uri, build):
    progress = sink.claim({"cam1": JOB})["cam1"]
    sink.commit([Commit([], build.after(progress))])
    sink.commit([Commit([], build.after(build.after(progress, status="stopped")))])
    assert read(kafka_uri) == []
    assert [m.key for m in read(kafka_uri, "progress")] == [f"{JOB}/cam1"], "no tombstone"
    assert {m.key for m in read(kafka_uri, "claims")} == {f"{JOB}/cam1"}


def test_a_cluster_without_our_topics_is_empty(kafka_uri):
    reader = open_reader(kafka_uri)
    assert reader.topics() == []
    assert list(reader.records()) == []
    assert list(reader.progress()) == []


def test_records_of_others_are_passed_over(sink, kafka_uri, build, caplog):
    sink.publish([build.message(1)])
    address = parse_sink_uri(kafka_uri)
    producer = KafkaProducer(bootstrap_servers=list(address.servers))
    for value in (b"hello", None):
        producer.send(f"{address.prefix}.action", key=b"cam1", value=value)
    producer.close()
    sink.publish([build.message(2)])
    assert [m.value for m in read(kafka_uri)] == [b'{"number":1}', b'{"number":2}']
    assert caplog.text.count("no CloudEvents") == 1


def test_follow_sees_what_comes_and_topics_that_are_made_meanwhile(
    sink, kafka_uri, build, monkeypatch
):
    monkeypatch.setattr(kafka_reading, "NEW_TOPICS_S", 0.1)
    records = open_reader(kafka_uri).records(follow=True)
    seen = []
    done = threading.Thread(target=lambda: seen.extend(next(records) for _ in range(3)))
    done.start()
    sink.publish([build.message(1), build.message(2)])
    sink.publish([build.message(3, topic="mood")])
    done.join(timeout=60)
    assert not done.is_alive()
    assert sorted(record.message.value for record in seen) == [
        b'{"number":1}',
        b'{"number":2}',
        b'{"number":3}',
    ]
    records.close()


def test_follow_from_now_leaves_out_what_was_there(sink, kafka_uri, build):
    sink.publish([build.message(1)])
    records = open_reader(kafka_uri).records(["action"], from_beginning=False, follow=True)
    seen = []
    done = threading.Thread(target=lambda: seen.append(next(records)))
    done.start()
    for number in range(2, 1000):  # the reader takes its place at some time
        sink.publish([build.message(number)])
        done.join(timeout=0.2)
        if not done.is_alive():
            break
    assert seen[0].message.value != b'{"number":1}'
    records.close()


def test_what_is_published_while_a_reader_takes_its_place_is_read(
    sink, kafka_uri, build, monkeypatch
):
    """In a partition that had nothing since then: where that is known, it may have something."""
    create_topics(kafka_uri, names=["action"])
    ask = KafkaConsumer.offsets_for_times

    def answered(consumer, times):
        found = ask(consumer, times)
        sink.publish([build.message(1)])
        return found

    monkeypatch.setattr(KafkaConsumer, "offsets_for_times", answered)
    hour_ago = Filter(since_us=wall_clock_us() - 3600 * 1_000_000)
    records = open_reader(kafka_uri).records(["action"], where=hour_ago, follow=True)
    seen = []
    done = threading.Thread(target=lambda: seen.append(next(records)), daemon=True)
    done.start()
    done.join(timeout=60)
    assert [record.message.value for record in seen] == [b'{"number":1}']
    records.close()
