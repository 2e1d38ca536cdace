"""`dinostream topics` on a sink file; the Kafka half is proved on a broker in test_kafka files."""

import json

import pytest

from operators.format import Format
from operators.result import Result
from pipeline.records.commit import Commit
from pipeline.records.message import Publisher
from pipeline.records.record import Message
from pipeline.sinks.uri import open_sink


@pytest.fixture
def uri(tmp_path, build):
    uri = f"sqlite:{tmp_path / 'r.db'}"
    sink = open_sink(uri)
    progress = sink.claim({"cam1": "0123456789ab"})["cam1"]
    messages = [build.message(0, topic="embedding"), build.message(1), build.message(2)]
    sink.commit([Commit(messages, build.after(progress))])
    sink.close()
    return uri


def test_topics_of_a_sink_are_listed(dinostream, uri):
    assert dinostream("topics", "list", uri).stdout.split() == [
        *("action", "application/json", "2", "records"),
        *("embedding", "application/octet-stream", "1", "records"),
    ]
    rows = [
        json.loads(line) for line in dinostream("topics", "list", uri, "--json").stdout.splitlines()
    ]
    assert [(row["name"], row["records"], row["exact"]) for row in rows] == [
        *(("action", 2, True), ("embedding", 1, True))
    ]
    assert rows[1]["schema"] == "urn:dinostream:schemas:embedding.v1"


@pytest.mark.parametrize("command", [["topics", "list"], ["tail"]], ids=" ".join)
def test_of_a_file_the_sink_alone_is_read(dinostream, uri, tmp_path, command):
    of_a_run = "weights: demo\nshort_side: 3\nstreams: {a: {url: 'rtsp://b:${UNSET}@c/'}}\n"
    (tmp_path / "run.yaml").write_text(f"{of_a_run}sink: {{settings: {{acks: 1}}}}")
    done = dinostream(*command, uri, "--config", "run.yaml")
    assert done.returncode == 2
    assert done.stderr.startswith("dinostream: a sqlite: sink has no settings but retain; got acks")
    (tmp_path / "run.yaml").write_text(of_a_run)
    done = dinostream(*command, uri, "--config", "run.yaml")
    assert (done.returncode, done.stderr) == (0, "")
    (tmp_path / "run.yaml").write_text("sink: {setings: {acks: 1}}")
    done = dinostream(*command, uri, "--config", "run.yaml")
    assert done.returncode == 2
    assert "run.yaml: unknown key sink.setings; did you mean settings?" in done.stderr


def test_a_users_own_topic_is_listed_as_its_records_are(dinostream, tmp_path, build):
    mood = build.operator()
    mood.topics = {"mood": Format("text/csv", "https://example.org/mood.v1.csvw")}
    record = Publisher("cam1", "feedfacecafe", build.model).record(
        Result(build.info(), "mood", "text/csv", b"calm"), build.variant, mood
    )
    uri = f"sqlite:{tmp_path / 'own.db'}"
    sink = open_sink(uri)
    progress = sink.claim({"cam1": "0123456789ab"})["cam1"]
    sink.commit([Commit((record,), build.after(progress))])
    sink.close()
    assert json.loads(dinostream("topics", "list", uri, "--json").stdout) == {
        "name": "mood",
        "content_type": "text/csv",
        "schema": "https://example.org/mood.v1.csvw",
        "records": 1,
        "exact": True,
    }


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"content-type": "json"},
        {"content-type": "text/csv", "ce_dataschema": "mood.v1"},
        {"content-type": "text/csv", "ce_dataschema": "http://["},
    ],
)
def test_what_another_program_wrote_without_a_format_is_unknown(dinostream, tmp_path, headers):
    uri = f"sqlite:{tmp_path / 'strange.db'}"
    sink = open_sink(uri)
    sink.publish([Message("mood", "cam1", {"ce_id": "1", **headers}, b"calm")])
    sink.close()
    assert dinostream("topics", "list", uri).stdout.split() == ["mood", "unknown", "1", "records"]


def test_a_sink_file_has_no_topics_to_make(dinostream, uri):
    done = dinostream("topics", "create", uri)
    assert done.returncode == 2
    assert "kafka://host:port" in done.stderr


def test_an_unknown_topic_is_refused_before_a_broker_is_asked(dinostream):
    done = dinostream("topics", "create", "kafka://127.0.0.1:1", "detph")
    assert done.returncode == 2
    assert "did you mean depth?" in done.stderr


@pytest.mark.slow
def test_a_broker_that_is_not_there_is_named(dinostream, tmp_path):
    (tmp_path / "short.yaml").write_text("sink: {uri: x, settings: {attempt_s: 1}}\n")
    done = dinostream("topics", "create", "kafka://127.0.0.1:1", "--config", "short.yaml")
    assert done.returncode == 1
    assert "127.0.0.1:1" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
@pytest.mark.needs_kafka
def test_topics_are_made_once_and_compared_afterwards(dinostream, kafka_uri):
    def create(*options):
        done = dinostream("topics", "create", kafka_uri, "--json", *options)
        assert done.returncode == 0, done.stderr
        rows = [json.loads(line) for line in done.stdout.splitlines()]
        return {row["name"]: row for row in rows}

    assert {row["outcome"] for row in create("--partitions", "3").values()} == {"created"}
    assert {row["outcome"] for row in create("--partitions", "3").values()} == {"existing"}
    again = create()
    assert again["depth"]["differences"] == ["partitions is 3, not 8"]
    assert again["labels"]["outcome"] == "existing"
    listed = dinostream("topics", "list", kafka_uri).stdout
    assert {line.split()[0] for line in listed.splitlines()} == set(again)
    assert listed.count("at most 0 records") == len(again)
