"""A cluster's records in a database beside the page: a real broker, also one that freezes."""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import replace

import pytest

from pipeline.errors import SinkError
from pipeline.records.commit import Commit
from pipeline.records.message import labels_message, wall_clock_us
from pipeline.sinks.sqlite.reader import SqliteReader
from pipeline.sinks.uri import create_topics, open_sink
from pipeline.view import mirror as view_mirror
from pipeline.view.mirror import mirrored
from pipeline.view.opening import Wish, opened

PATIENT = {"attempt_s": 30}  # of a broker that is there, and may be busy
QUICK = {"attempt_s": 2}
KEEP_BYTES = 1 << 20
LABELS = {"name": "two", "classes": [{"id": 0, "name": "wall", "rgb": [1, 2, 3]}]}


def ids(mirror):
    with closing(SqliteReader(mirror.path)) as reader:
        return [record.message.id for record in reader.records()]


def until(fact):
    for _ in range(1200):
        if fact():
            return
        time.sleep(0.05)
    raise AssertionError("it did not come to be")


@pytest.mark.needs_kafka
def test_records_come_once_as_they_were_published(kafka_uri, build):
    create_topics(kafka_uri, names=["action", "depth", "progress", "claims"])
    with closing(open_sink(kafka_uri)) as sink:
        first = [build.message(number) for number in range(3)]
        sink.publish([*first, first[0]])
        with mirrored(kafka_uri, PATIENT, None, KEEP_BYTES) as mirror:
            until(lambda: len(ids(mirror)) == 3)
            later = build.message(7, topic="depth", data=b"\x89PNG")
            sink.publish([later])
            until(lambda: len(ids(mirror)) == 4)
            with closing(SqliteReader(mirror.path)) as reader:
                found = {one.message.id: one for one in reader.records()}
            assert found.keys() == {one.id for one in (*first, later)}
            here = found[later.id]
            assert here.message == later
            assert abs(here.timestamp_us - wall_clock_us()) < 600 * 1_000_000
            assert mirror.away() == ""
            path = mirror.path
    assert not path.exists()


@pytest.mark.needs_kafka
def test_it_is_known_how_streams_stand(kafka_uri, build, monkeypatch):
    monkeypatch.setattr(view_mirror, "STANDS_S", 0.1)
    create_topics(kafka_uri, names=["action", "progress", "claims"])
    with closing(open_sink(kafka_uri)) as sink:
        known = sink.claim({"cam1": "feedfacecafe"})["cam1"]
        done = build.after(known, position="0", status="ok")
        sink.commit([Commit((build.message(0),), done)])
        with mirrored(kafka_uri, {}, None, KEEP_BYTES) as mirror:

            def stands():
                with closing(SqliteReader(mirror.path)) as reader:
                    return [(one.stream, one.status) for one in reader.progress()]

            until(lambda: stands() == [("cam1", "ok")])


@pytest.mark.needs_kafka
def test_it_begins_where_it_is_told_but_label_sets_are_all_there(kafka_uri, build):
    create_topics(kafka_uri, names=["action", "labels"])
    with closing(open_sink(kafka_uri)) as sink:
        labels = labels_message(LABELS["name"], LABELS["classes"])
        sink.publish([labels, build.message(1)])
        since_us = wall_clock_us() + 1_000_000
        until(lambda: wall_clock_us() > since_us)
        sink.publish([build.message(2)])
        with mirrored(kafka_uri, PATIENT, since_us, KEEP_BYTES) as mirror:
            until(lambda: len(ids(mirror)) == 2)
            assert ids(mirror) == [labels.id, build.message(2).id]


@pytest.mark.needs_kafka
def test_it_keeps_so_much_at_most(kafka_uri, build):
    create_topics(kafka_uri, names=["action"])
    messages = [replace(build.message(number), value=bytes(4000)) for number in range(60)]
    with closing(open_sink(kafka_uri)) as sink:
        sink.publish(messages[:-1])
        with mirrored(kafka_uri, PATIENT, None, 100_000) as mirror:
            until(lambda: messages[-2].id in ids(mirror))
            sink.publish(messages[-1:])
            until(lambda: messages[-1].id in ids(mirror) and len(ids(mirror)) < 25)
            assert ids(mirror) == [one.id for one in messages][-len(ids(mirror)) :]


@pytest.mark.needs_kafka
@pytest.mark.slow
def test_a_broker_that_was_away_is_followed_on_and_told_of(own_broker, build, monkeypatch):
    monkeypatch.setattr(view_mirror, "STANDS_S", 0.1)
    own_broker.start()
    uri = own_broker.uri
    create_topics(uri, names=["action", "progress", "claims"])
    sink = open_sink(uri)
    sink.publish([build.message(1)])
    with mirrored(uri, QUICK, None, KEEP_BYTES) as mirror:
        until(lambda: len(ids(mirror)) == 1)
        own_broker.freeze()
        until(mirror.away)
        assert own_broker.server in mirror.away()
        own_broker.go_on()
        sink.publish([build.message(2)])
        sink.close()
        until(lambda: len(ids(mirror)) == 2)
        until(lambda: not mirror.away())


@pytest.mark.needs_kafka
def test_the_page_shows_what_is_on_a_cluster(kafka_uri, build):
    create_topics(kafka_uri, names=["action"])
    with closing(open_sink(kafka_uri)) as sink, opened(Wish(kafka_uri, settings=PATIENT)) as room:
        sink.publish([build.message(1)])
        until(lambda: [one["stream"] for one in room.states()] == ["cam1"])
        assert (room.sink()["kind"], room.sink()["sink_state"]) == ("kafka", "there")


def test_a_cluster_that_is_not_there_is_told_at_once():
    with (
        pytest.raises(SinkError, match=r"127\.0\.0\.1:9"),
        mirrored("kafka://127.0.0.1:9", QUICK, None, KEEP_BYTES),
    ):
        pass
