"""Members of a consumer group on a real broker: who reads what, and where the next one goes on."""

from __future__ import annotations

import threading
import time
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest
from kafka import KafkaAdminClient, TopicPartition

from pipeline.records.filter import Filter
from pipeline.sinks.address import parse_sink_uri
from pipeline.sinks.kafka import reading as kafka_reading
from pipeline.sinks.reading import Plan
from pipeline.sinks.uri import open_reader, open_sink

pytestmark = pytest.mark.needs_kafka


@pytest.fixture
def sink(kafka_uri):
    sink = open_sink(kafka_uri, settings={"attempt_s": 5})
    yield sink
    sink.close()


def group_of(uri):
    """A group of the test's own: the broker is everybody's, and who shares a group waits for the
    others of it, whatever they read."""
    return parse_sink_uri(uri).prefix


def member(uri, *topics, **plan):
    plan = Plan(topics, group=group_of(uri), follow=True, **plan)
    return closing(open_reader(uri).read(plan))


def taken(uri, count, *topics, **plan):
    """So many records of a member that is done with all but the last."""
    given = []
    with member(uri, *topics, **plan) as reading:
        for record in reading:
            given.append(record.message)
            if len(given) == count:
                return given
            reading.done(record)
    raise AssertionError("a reading that follows has no end")


def test_the_next_member_goes_on_behind_what_was_done(sink, kafka_uri, build):
    messages = [build.message(number) for number in range(6)]
    sink.publish(messages)
    assert taken(kafka_uri, 3, "action") == messages[:3]
    assert taken(kafka_uri, 2, "action") == messages[2:4], "the third was not done"
    assert taken(kafka_uri, 3) == messages[3:6], "topics that are not named are all of them"


def test_what_is_left_out_is_done_with(sink, kafka_uri, build):
    mine = [build.message(number) for number in range(2)]
    theirs = [replace(build.message(n, "cam2"), key="cam1") for n in range(5)]
    sink.publish([mine[0], *theirs, mine[1]])  # one partition: it follows from the key
    assert taken(kafka_uri, 2, "action", where=Filter(("cam1",))) == mine
    assert taken(kafka_uri, 1, "action") == mine[1:]


def test_a_member_that_ends_before_its_first_record_keeps_its_place(sink, kafka_uri, build):
    sink.publish([build.message(1)])
    with member(kafka_uri, "action", from_beginning=False) as reading:
        placed = threading.Thread(target=lambda: next(iter(reading), None))
        placed.start()
        while not reading.uncommitted and placed.is_alive():
            placed.join(0.05)
        reading.interrupt()
        placed.join()
    sink.publish([build.message(2)])
    assert taken(kafka_uri, 1, "action", from_beginning=False) == [build.message(2)]


class Member:
    """One that is done with all that it gets; without a group, somebody who follows by himself."""

    def __init__(self, uri: str, *, alone: bool = False, **plan: Any) -> None:
        self.ids: list[str] = []
        group = None if alone else group_of(uri)
        plan = Plan(("action",), group=group, follow=True, **plan)
        self.reading = open_reader(uri).read(plan)
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()

    def read(self) -> None:
        with closing(self.reading):
            for record in self.reading:
                self.ids.append(record.message.id)
                self.reading.done(record)

    def leave(self) -> None:
        self.reading.interrupt()
        self.thread.join()

    def wait_for(self, ids: list[str]) -> None:
        """Until it has these, in this order; told with what it has where they do not come."""
        deadline_s = time.monotonic() + 150
        while self.ids != ids:
            assert self.thread.is_alive(), "it has ended"
            assert time.monotonic() < deadline_s, (self.ids, self.reading.offsets)
            self.thread.join(0.05)


def test_members_share_the_partitions_and_hand_over_what_is_done(sink, kafka_uri, build):
    streams = [f"cam{number}" for number in range(8)]
    written = []

    def publish_until(condition):
        while not condition():
            messages = [build.message(len(written), one) for one in streams]
            sink.publish(messages)
            written.extend(message.id for message in messages)

    sink.publish([build.message(0, "cam0")])
    written.append(build.message(0, "cam0").id)
    first = Member(kafka_uri)
    publish_until(lambda: first.ids)
    second = Member(kafka_uri)
    publish_until(lambda: len(second.ids) > 20)
    first.leave()
    known = len(second.ids)
    publish_until(lambda: len(second.ids) > known + 20)
    last = Member(kafka_uri)
    while {*first.ids, *second.ids, *last.ids} != set(written):
        last.thread.join(0.1)
    second.leave()
    last.leave()
    assert sorted([*first.ids, *second.ids, *last.ids]) == sorted(written), "each once"


@pytest.mark.parametrize("alone", [True, False])
def test_a_topic_that_is_made_anew_is_read_from_its_beginning(kafka_uri, build, monkeypatch, alone):
    """With epochs that begin anew, which must not be taken for replaced writers'."""

    def publish(*numbers, epoch):
        sink = open_sink(kafka_uri, settings={"attempt_s": 5})
        session = "1763830800000002"
        messages = [build.message(n, epoch=epoch, session=session) for n in numbers]
        sink.publish(messages)
        sink.close()
        return [message.id for message in messages]

    monkeypatch.setattr(kafka_reading, "NEW_TOPICS_S", 0.1)
    old = publish(*range(9), epoch=5)
    jumps = []
    follower = Member(kafka_uri, alone=alone, on_jump=jumps.append)
    follower.wait_for(old)
    address = parse_sink_uri(kafka_uri)
    admin = KafkaAdminClient(bootstrap_servers=list(address.servers))
    admin.delete_topics([f"{address.prefix}.action"])
    while f"{address.prefix}.action" in admin.list_topics():
        pass
    admin.close()
    new = publish(*range(20, 23), epoch=1)
    follower.wait_for(old + new)
    follower.leave()
    assert [(one.topic, one.wanted, one.at, one.is_rewind) for one in jumps] == [
        ("action", 9, 0, True)
    ]


def test_what_retention_deleted_is_told(sink, kafka_uri, build):
    sink.publish([build.message(number) for number in range(10)])
    assert taken(kafka_uri, 3, "action") == [build.message(number) for number in range(3)]
    gone = delete(kafka_uri, before=6)
    jumps = []
    (record,) = taken(kafka_uri, 1, "action", on_jump=jumps.append)
    assert record == build.message(6)
    assert [(one.topic, one.partition, one.wanted, one.at) for one in jumps] == [
        ("action", gone.partition, 2, 6)
    ]
    assert jumps[0].lost == 4
    assert not jumps[0].is_rewind


def test_who_reads_by_himself_is_told_of_places_that_are_gone(sink, kafka_uri, build):
    sink.publish([build.message(number) for number in range(10)])
    gone = delete(kafka_uri, before=4)
    for wanted, lost in ((1, 3), (12, 0)):
        jumps = []
        plan = Plan(("action",), offsets={("action", gone.partition): wanted}, on_jump=jumps.append)
        with closing(open_reader(kafka_uri).read(plan)) as reading:
            assert [record.message for record in reading] == [
                build.message(n) for n in range(4, 10)
            ]
        assert [(one.wanted, one.at, one.lost) for one in jumps] == [(wanted, 4, lost)]
        assert jumps[0].is_rewind == (wanted == 12)


def delete(uri: str, *, before: int) -> TopicPartition:
    """As retention does, records of the one partition of `action` that has some."""
    address = parse_sink_uri(uri)
    (record, *_) = open_reader(uri).records(["action"])
    place = TopicPartition(f"{address.prefix}.action", record.partition)
    admin = KafkaAdminClient(bootstrap_servers=list(address.servers))
    admin.delete_records({place: before})
    admin.close()
    return place
