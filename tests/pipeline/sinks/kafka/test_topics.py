"""The topics that dinostream makes, as the broker then has them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from kafka import KafkaAdminClient
from kafka.admin import ConfigResource, ConfigResourceType

from operators.errors import UsageError
from pipeline.errors import SinkError
from pipeline.records.commit import Commit
from pipeline.records.topics import TOPICS
from pipeline.sinks.address import parse_sink_uri
from pipeline.sinks.kafka.admin import make_topics
from pipeline.sinks.kafka.client import admin
from pipeline.sinks.kafka.deadline import Deadline
from pipeline.sinks.kafka.settings import KafkaSettings
from pipeline.sinks.patient import PatientSink
from pipeline.sinks.uri import create_topics, open_reader, open_sink

pytestmark = pytest.mark.needs_kafka

JOB = "feedfacecafe"
QUICK = {"attempt_s": 5}


@pytest.fixture
def cluster(kafka_broker):
    admin = KafkaAdminClient(bootstrap_servers=[kafka_broker.server])
    yield admin
    admin.close()


def test_topics_are_made_with_retention_compaction_and_message_size(kafka_uri, cluster):
    reports = create_topics(kafka_uri, partitions=3)
    assert [(r.name, r.outcome) for r in reports] == [(name, "created") for name in TOPICS]

    prefix = parse_sink_uri(kafka_uri).prefix
    names = [f"{prefix}.{name}" for name in TOPICS]
    partitions = {t["name"]: len(t["partitions"]) for t in cluster.describe_topics(names)}
    assert set(partitions) == set(names)
    assert partitions[f"{prefix}.depth"] == 3
    assert partitions[f"{prefix}.labels"] == 1
    resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
    configs = cluster.describe_configs(resources, config_filter="all")["topic"]

    def config(name, key):
        return configs[f"{prefix}.{name}"][key]["value"]

    assert config("depth", "cleanup.policy") == "delete"
    assert config("depth", "retention.ms") == str(7 * 24 * 3600 * 1000)
    assert config("frames", "retention.ms") == str(24 * 3600 * 1000)
    assert config("frames", "retention.bytes") == str(4 << 30)
    assert config("events", "retention.ms") == str(30 * 24 * 3600 * 1000)
    assert config("progress", "cleanup.policy") == "compact"
    assert config("labels", "cleanup.policy") == "compact"
    assert config("depth", "max.message.bytes") == str(8 * 1024 * 1024)


def test_topics_that_exist_are_compared_and_left(kafka_uri):
    create_topics(kafka_uri, names=["depth", "labels"])
    assert [r.outcome for r in create_topics(kafka_uri, names=["depth", "labels"])] == [
        "existing",
        "existing",
    ]
    depth, embedding = create_topics(kafka_uri, partitions=5, names=["depth", "embedding"])
    assert (depth.outcome, depth.differences) == ("different", ("partitions is 8, not 5",))
    assert embedding.outcome == "created"


def test_progress_that_would_be_forgotten_is_warned_of(kafka_uri, caplog):
    settings = KafkaSettings.of(parse_sink_uri(kafka_uri), {})
    make_topics(settings, [replace(TOPICS["claims"], compacted=False)], -1)
    sink = open_sink(kafka_uri)
    sink.claim({"cam1": "feedfacecafe"})
    sink.close()
    (warning,) = [one for one in caplog.messages if "not compacted" in one]
    assert warning.startswith(f"{settings.topic('claims')} forgets")


def test_what_cannot_be_made_is_said(kafka_uri, tmp_path):
    with pytest.raises(UsageError, match="did you mean depth"):
        create_topics(kafka_uri, names=["dept"])
    with pytest.raises(UsageError, match="has no topics to create"):
        create_topics(f"sqlite:{tmp_path}/r.db")
    with pytest.raises(SinkError, match=r"creating topics was refused: .*replication factor"):
        create_topics(kafka_uri, replication=3)


@pytest.fixture
def sink(kafka_uri):
    sink = open_sink(kafka_uri, settings=QUICK)
    yield sink
    sink.close()


def stored(uri, topic):
    return [record.message.value for record in open_reader(uri).records([topic])]


def test_a_users_own_topic_is_made_when_it_is_first_written(sink, kafka_uri, build):
    progress = build.after(sink.claim({"cam1": JOB})["cam1"])
    sink.commit([Commit([build.message(0, topic="mood")], progress)])
    assert stored(kafka_uri, "mood") == [b'{"number":0}']


def test_only_topics_that_are_used_are_made(sink, kafka_uri, build):
    progress = build.after(sink.claim({"cam1": JOB})["cam1"])
    of_every_run = ["claims", "deadletter", "events", "manifest", "progress"]
    assert open_reader(kafka_uri).topics() == of_every_run
    sink.commit([Commit([build.message(0)], progress)])
    assert open_reader(kafka_uri).topics() == ["action", *of_every_run]


def test_a_topic_that_is_deleted_in_mid_run_is_made_again(sink, kafka_uri, build, caplog):
    progress = sink.claim({"cam1": JOB})["cam1"]
    progress = build.after(progress)
    sink.commit([Commit([build.message()], progress)])
    settings = KafkaSettings.of(parse_sink_uri(kafka_uri), QUICK)
    with admin(settings, Deadline(20)) as client:
        client.delete_topics([settings.topic("action")])
    PatientSink(sink).commit([Commit([build.message(data=b"after")], build.after(progress))])
    assert stored(kafka_uri, "action") == [b"after"]
    assert f"{settings.topic('action')} was deleted while this run writes to it" in caplog.text
