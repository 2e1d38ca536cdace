"""Batches and records that are too large for their topics: split, named, and never in the way."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest

from pipeline.errors import RecordsTooLarge, SinkError
from pipeline.records.commit import Commit
from pipeline.records.record import Refused
from pipeline.records.topics import TOPICS
from pipeline.sinks.address import parse_sink_uri
from pipeline.sinks.kafka.admin import make_topics
from pipeline.sinks.kafka.settings import KafkaSettings
from pipeline.sinks.sink import Receipt
from pipeline.sinks.uri import open_reader, open_sink

pytestmark = pytest.mark.needs_kafka

JOB = "feedfacecafe"
QUICK = {"attempt_s": 5}


@pytest.fixture
def sink(kafka_uri):
    sink = open_sink(kafka_uri, settings=QUICK)
    yield sink
    sink.close()


def stored(uri):
    return [record.message.value for record in open_reader(uri).records(["action"])]


def test_a_record_that_is_too_large_is_refused_and_the_next_is_not(sink, kafka_uri, build):
    progress = build.after(sink.claim({"cam1": JOB})["cam1"])
    huge = build.message(0, data=bytes(9 * 1024 * 1024))
    with pytest.raises(RecordsTooLarge, match=r"larger than .*max\.message\.bytes") as caught:
        sink.commit([Commit([build.message(1), huge], progress)])
    assert not caught.value.retryable
    assert caught.value.refused == (Refused("action", huge.id, 9 * 1024 * 1024, 8 * 1024 * 1024),)
    assert sink.commit([Commit([build.message(2)], progress)]) == Receipt(written=1)
    assert stored(kafka_uri) == [b'{"number":2}']


NOISE = hashlib.shake_128(b"noise").digest(1_000_000)
SMALL = 100_000


@pytest.fixture
def small_topics(kafka_uri):
    """Made by somebody else, who knew nothing of pictures."""
    settings = KafkaSettings.of(parse_sink_uri(kafka_uri), QUICK)
    small = [
        replace(TOPICS[name], max_message_bytes=SMALL) for name in ("action", "progress", "claims")
    ]
    make_topics(settings, small, -1)


@pytest.mark.parametrize("client", ["kafka-python", "confluent"])
@pytest.mark.parametrize("told", [True, False], ids=["told", "found out"])
def test_large_batches_are_split_and_large_records_named(
    small_topics, kafka_uri, build, told, client, monkeypatch
):
    if not told:  # somebody who may write topics and not ask for their configuration
        monkeypatch.setattr("pipeline.sinks.kafka.sink.ensure_topics", lambda *_: {})
    sink = open_sink(kafka_uri, settings={**QUICK, "client": client})
    progress = build.after(sink.claim({"cam1": JOB})["cam1"])
    parts = [NOISE[start : start + 30_000] for start in range(0, 600_000, 30_000)]
    messages = [build.message(number, data=part) for number, part in enumerate(parts)]
    assert sink.commit([Commit(messages, progress)]) == Receipt(written=20)

    progress = build.after(progress)
    text = build.message(20, data=b"squeezed " * 50_000)  # it is the compressed size that counts
    small, huge = build.message(21), build.message(22, data=NOISE[:SMALL])
    with pytest.raises(RecordsTooLarge) as caught:
        sink.commit([Commit([text, small, huge], progress)])
    (refused,) = caught.value.refused
    assert (refused.id, refused.size_bytes) == (huge.id, SMALL)
    assert refused.limit_bytes == SMALL if told else refused.limit_bytes >= SMALL
    assert sink.commit([Commit([text, small], progress)]) == Receipt(written=2)
    sink.close()
    found = stored(kafka_uri)
    assert found == [*parts, text.value, small.value]


def test_progress_that_is_too_large_names_whose_memory_it_is(small_topics, kafka_uri, build):
    sink = open_sink(kafka_uri, settings=QUICK)
    progress = build.after(sink.claim({"cam1": JOB})["cam1"])
    memory = {"pca": NOISE[:120_000].hex(), "action": "AA=="}
    with pytest.raises(SinkError, match=r"progress of stream cam1 .* operator pca;") as caught:
        sink.commit([Commit([build.message(0)], replace(progress, operators=memory))])
    assert not caught.value.retryable
    assert sink.commit([Commit([build.message(0)], progress)]) == Receipt(written=1)
    sink.close()
