"""Real sinks, whole and after a hand was at them; a hand that reaches Kafka's records is a copy
under another prefix, or the broker's own deletion."""

from __future__ import annotations

import contextlib
import sqlite3
from dataclasses import replace

import pytest
from kafka import TopicPartition

from pipeline.records.record import Message
from pipeline.sinks.address import parse_sink_uri
from pipeline.sinks.kafka.client import admin
from pipeline.sinks.kafka.deadline import Deadline
from pipeline.sinks.kafka.settings import KafkaSettings
from pipeline.sinks.uri import open_reader, open_sink
from pipeline.stream.chunk import MANIFEST_FRAMES

FAR = 500  # a frame of the second manifest
RECORD = f"mood/cam1/a1b2c3d4e5f6/{FAR * 3000}/0123456789ab"
NEXT = f"mood/cam1/a1b2c3d4e5f6/{(FAR + 1) * 3000}/0123456789ab"


def write(footage, uri, **more):
    sink = open_sink(uri)
    try:
        footage.write(sink, chunk=64, **more)
    finally:
        sink.close()


@pytest.fixture
def database(footage, tmp_path):
    uri = f"sqlite:{tmp_path}/results.db"
    write(footage, uri)
    return uri


def execute(uri, *statements):
    with contextlib.closing(sqlite3.connect(uri.removeprefix("sqlite:"))) as database, database:
        for statement in statements:
            database.execute(statement)


@pytest.mark.parametrize(
    ("statements", "found"),
    [
        ([], {}),
        ([f"DELETE FROM records WHERE id = '{RECORD}'"], {("missing", "mood"): 1}),
        (
            [f"UPDATE records SET value = x'7b7d' WHERE id = '{RECORD}'"],
            {("altered", "mood"): MANIFEST_FRAMES},
        ),
        (
            [
                "CREATE TABLE hand AS SELECT id, offset FROM records "
                f"WHERE id IN ('{RECORD}', '{NEXT}')",
                f"UPDATE records SET offset = -1 WHERE id = '{RECORD}'",
                f"UPDATE records SET offset = (SELECT offset FROM hand WHERE id = '{RECORD}') "
                f"WHERE id = '{NEXT}'",
                f"UPDATE records SET offset = (SELECT offset FROM hand WHERE id = '{NEXT}') "
                f"WHERE id = '{RECORD}'",
            ],
            {("disordered", "mood"): 1},
        ),
        (
            [
                "INSERT INTO records SELECT NULL, topic, key, replace(headers, '/1500000/', "
                "'/1500000+7/'), value, timestamp_us, replace(id, '/1500000/', '/1500000+7/') "
                f"FROM records WHERE id = '{RECORD}'"
            ],
            {("disordered", "mood"): 1, ("unexpected", "mood"): 1},
        ),
        (["DELETE FROM records WHERE topic = 'events'"], {("missing", "events"): 1}),
        (
            ["DELETE FROM records WHERE topic = 'mood'"],
            {("missing", "mood"): 2 * MANIFEST_FRAMES + 40},
        ),
    ],
    ids=["whole", "deleted", "altered", "swapped", "doubled", "an event", "a topic"],
)
def test_what_is_done_to_a_database_is_told(audits, database, statements, found):
    execute(database, *statements)
    report = audits.of(database)
    told = {}
    for one in report.findings:
        key = (one.kind, one.series.topic)
        told[key] = told.get(key, 0) + one.records
    assert told == found
    assert report.complete == (not found)


def test_a_missing_record_is_named_where_another_operator_has_its_frame(audits, database):
    execute(database, f"DELETE FROM records WHERE id IN ('{RECORD}', '{NEXT}')")
    (missing,) = audits.of(database).findings
    assert missing.ids == (RECORD, NEXT)


@pytest.mark.parametrize("gone", ["", "mood"], ids=["whole", "one is missing"])
def test_a_killed_run_is_checked_up_to_its_last_commit(audits, footage, tmp_path, gone):
    """By its progress, where no manifest tells of it yet."""
    uri = f"sqlite:{tmp_path}/killed.db"
    write(footage, uri, upto=300)
    execute(uri, f"DELETE FROM records WHERE topic = '{gone}' AND id LIKE '%/897000/%'")
    report = audits.of(uri)
    assert (report.complete, report.ended, report.manifests) == (not gone, False, 1)
    assert audits.kinds(report) == ({("missing", "mood"): 1} if gone else {})


def test_what_is_older_than_since_is_not_asked_for(audits, footage, database):
    execute(database, "DELETE FROM records WHERE id LIKE '%/0/%'")
    assert not audits.of(database).complete
    with contextlib.closing(open_reader(database)) as reader:
        first, *_ = reader.records(["manifest"])
    execute(database, f"UPDATE records SET timestamp_us = 1 WHERE offset < {first.offset}")
    report = audits.of(database, since_us=first.timestamp_us)
    assert report.complete, report.findings
    execute(database, f"DELETE FROM records WHERE id = '{RECORD}'")
    assert not audits.of(database, since_us=first.timestamp_us).complete


@pytest.fixture
def copied(footage, kafka_uri):
    """Messages as they lie on Kafka -> a copy of what somebody has made of them."""
    write(footage, kafka_uri)
    with contextlib.closing(open_reader(kafka_uri)) as reader:
        messages = [record.message for record in reader.records(repeats=True)]

    def copy(change) -> str:
        uri = f"{kafka_uri}.copy"
        sink = open_sink(uri)
        try:
            sink.publish(change(messages))
        finally:
            sink.close()
        return uri

    return copy


def place(messages: list[Message], identity: str) -> int:
    return next(i for i, one in enumerate(messages) if one.id == identity)


def deleted(messages):
    return [one for one in messages if one.id != RECORD]


def doubled(messages):
    return [*messages, messages[place(messages, RECORD)]]


def conflicting(messages):
    return [*messages, replace(messages[place(messages, RECORD)], value=b"{}")]


def swapped(messages):
    one, other, changed = place(messages, RECORD), place(messages, NEXT), [*messages]
    changed[one], changed[other] = messages[other], messages[one]
    return changed


@pytest.mark.slow
@pytest.mark.needs_kafka
@pytest.mark.parametrize(
    ("change", "kind"),
    [
        (deleted, "missing"),
        (doubled, "doubled"),
        (conflicting, "conflicting"),
        (swapped, "disordered"),
    ],
)
def test_what_is_done_to_topics_is_told(audits, copied, change, kind):
    (finding,) = audits.of(copied(change)).findings
    assert (finding.kind, finding.records) == (kind, 1)
    assert finding.ids == (RECORD,)


@pytest.mark.slow
@pytest.mark.needs_kafka
def test_a_job_that_goes_on_or_is_done_afresh_on_kafka_is_complete(audits, footage, kafka_uri):
    write(footage, kafka_uri, upto=300)
    report = audits.of(kafka_uri)
    assert (report.complete, report.ended, report.manifests) == (True, False, 1)
    write(footage, kafka_uri)
    assert audits.of(kafka_uri).findings == []
    write(footage, kafka_uri, fresh=True)
    report = audits.of(kafka_uri, streams=["cam1"])
    assert report.complete
    assert {one.kind for one in report.findings} == {"again"}


@pytest.mark.slow
@pytest.mark.needs_kafka
def test_what_a_retention_has_removed_is_not_missing(audits, footage, kafka_uri):
    write(footage, kafka_uri)
    with contextlib.closing(open_reader(kafka_uri)) as reader:
        records = list(reader.records(["mood"]))
    first = next(one for one in records if one.message.id == RECORD)
    settings = KafkaSettings.of(parse_sink_uri(kafka_uri), {})
    partition = TopicPartition(settings.topic("mood"), first.partition)
    with admin(settings, Deadline(20)) as client:
        client.delete_records({partition: first.offset})
    report = audits.of(kafka_uri)
    assert report.complete
    assert {(one.kind, one.series.topic) for one in report.findings} == {("expired", "mood")}
    assert sum(one.records for one in report.findings) == FAR


def test_what_a_database_was_not_to_keep_is_not_missing(audits, footage, tmp_path):
    uri = f"sqlite:{tmp_path}/results.db"
    write(footage, uri)
    retain = {"mood": {"gib": 200_000 / (1 << 30)}}
    with contextlib.closing(open_sink(uri, settings={"retain": retain})) as sink:
        sink.commit([])  # behind which it removes
    report = audits.of(uri)
    assert report.complete
    assert {(one.kind, one.series.topic) for one in report.findings} == {("expired", "mood")}
    with contextlib.closing(open_reader(uri)) as reader:
        held = reader.holds()
    assert held["mood"].removed == sum(one.records for one in report.findings)
    assert held["action"].records == 2 * MANIFEST_FRAMES + 40
