"""`dinostream tail` on a real sink, as the process that a subscriber would run."""

import csv
import hashlib
import json
import signal
import subprocess
import sys
from dataclasses import replace

import pytest

from pipeline.records.commit import Commit
from pipeline.records.record import Message
from pipeline.sinks.uri import open_sink

PICTURE = b"\x89PNG not really"


def message(topic, number, *, stream="gate", value=None):
    kind = "image/png" if topic == "depth" else "application/json"
    headers = {
        "content-type": kind,
        "ce_specversion": "1.0",
        "ce_id": f"{topic}/{stream}/s/{number}/v",
        "ce_source": f"/streams/{stream}",
        "ce_type": f"dinostream.{topic}.v1",
        "ce_time": f"2026-11-22T17:00:{number:02}.000000Z",
        "ce_streamid": stream,
    }
    plain = PICTURE if topic == "depth" else json.dumps({"number": number}).encode()
    return Message(topic, stream, headers, value or plain)


@pytest.fixture
def sink(tmp_path):
    """A sink file with three frames of two streams; gives (URI, function that commits more)."""
    uri = f"sqlite:{tmp_path / 'r.db'}"
    writer = open_sink(uri)
    stands = writer.claim({"gate": "0123456789ab", "door": "0123456789ab"})

    def commit(stream, *messages):
        stands[stream] = replace(stands[stream], sequence=stands[stream].sequence + 1)
        writer.commit([Commit(messages, stands[stream])])

    for number in range(3):
        for stream in ("gate", "door"):
            commit(
                stream,
                message("depth", number, stream=stream),
                message("action", number, stream=stream),
            )
    yield uri, commit
    writer.close()


def records(done):
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_every_record_is_one_json_line_in_order(dinostream, sink):
    told = records(dinostream("tail", sink[0]))
    assert len(told) == 12
    assert [one["offset"] for one in told] == sorted(one["offset"] for one in told)
    first = told[0]
    assert first["topic"] == "depth"
    assert first["id"] == "depth/gate/s/0/v"
    assert first["streamid"] == "gate"
    assert first["data"] == {
        "size": len(PICTURE),
        "sha256": hashlib.sha256(PICTURE).hexdigest(),
    }
    assert told[1]["data"] == {"number": 0}


def test_topic_stream_and_limit_narrow_it_down(dinostream, sink):
    told = records(dinostream("tail", sink[0], "action", "--stream", "door", "--limit", "2"))
    assert [one["id"] for one in told] == ["action/door/s/0/v", "action/door/s/1/v"]


def test_a_stream_that_nobody_wrote_names_the_nearest(dinostream, sink):
    done = dinostream("tail", sink[0], "--stream", "gat")
    assert done.returncode == 2
    assert "no stream 'gat'; did you mean gate? there are: door, gate" in done.stderr
    done = dinostream("tail", sink[0], "--stream", "zzz")
    assert "no stream 'zzz'; there are: door, gate" in done.stderr


def test_the_time_of_publishing_narrows_it_down(dinostream, sink):
    def told(*options):
        return [one["id"] for one in records(dinostream("tail", sink[0], *options))]

    assert len(told("--since", "2026-01-01T00:00:00Z", "--until", "2126-01-01T00:00:00Z")) == 12
    assert told("--until", "2026-01-01T00:00:00Z") == []
    assert told("--since", "2126-01-01T00:00:00+01:00", "depth", "--stream", "gate") == []
    done = dinostream("tail", sink[0], "--since", "yesterday")
    assert done.returncode == 2
    assert "no time with a zone, such as" in done.stderr


def test_a_condition_narrows_it_down(dinostream, sink):
    condition = 'streamid == "door" and data.number >= 1 and offset < 12'
    done = dinostream("tail", sink[0], "--where", condition)
    assert [one["id"] for one in records(done)] == ["action/door/s/1/v"]
    assert done.stderr == ""
    done = dinostream("tail", sink[0], "--where", "stream == 'door'")
    assert (records(done), done.stderr) == ([], "no record had stream\n")
    done = dinostream("tail", sink[0], "--where", "open('x')")
    assert done.returncode == 2
    assert "open('x') is not allowed. Write one such as streamid ==" in done.stderr


def test_lines_may_be_csv(dinostream, sink):
    done = dinostream("tail", sink[0], "--stream", "gate", "--format", "csv", "--limit", "2")
    header, depth, action = csv.reader(done.stdout.splitlines())
    assert header == ["topic", "partition", "offset", "streamid", "time", "id", "data"]
    assert depth[:3] == ["depth", "0", "1"]
    assert json.loads(depth[-1])["size"] == len(PICTURE)
    assert action == [
        *("action", "0", "2", "gate", "2026-11-22T17:00:00.000000Z"),
        *("action/gate/s/0/v", '{"number": 0}'),
    ]
    options = ("action", "--format", "csv", "--latency", "--limit", "1")
    header, action = csv.reader(dinostream("tail", sink[0], *options).stdout.splitlines())
    assert (header[-1], action[-1]) == ("latency_s", "null")


def test_a_group_needs_to_follow_a_broker(dinostream, sink):
    done = dinostream("tail", sink[0], "--group", "alarms")
    assert done.returncode == 2
    assert "--group is about what comes from now on: it needs --follow" in done.stderr
    done = dinostream("tail", sink[0], "--group", "alarms", "--follow")
    assert done.returncode == 2
    assert "a database has no consumer groups" in done.stderr


def test_binary_values_are_saved_where_one_says(dinostream, sink, tmp_path):
    told = records(dinostream("tail", sink[0], "depth", "--limit", "1", "--save", "pictures"))
    assert (tmp_path / told[0]["data"]["path"]).read_bytes() == PICTURE


def test_the_latency_of_recordings_is_called_unknown(dinostream, sink):
    done = dinostream("tail", sink[0], "depth", "--latency", "--limit", "4")
    assert [one["latency_s"] for one in records(done)] == [None] * 4
    assert done.stderr == (
        "latency: 4 records of unknown age: their time is no camera's wall clock\n"
    )


def test_an_unknown_topic_names_the_nearest(dinostream, sink):
    done = dinostream("tail", sink[0], "detph")
    assert done.returncode == 2
    assert "did you mean depth?" in done.stderr


@pytest.mark.slow
def test_a_reader_that_has_seen_enough_is_no_error(sink, environment, tmp_path):
    line = f"{sys.executable} -m pipeline tail {sink[0]} | head -n 1; echo ${{PIPESTATUS[0]}}"
    _, commit = sink
    for number in range(100, 160):
        commit("gate", message("action", number, value=b'"%s"' % (b"x" * 20_000)))
    done = subprocess.run(
        ["bash", "-c", line],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=environment,
        check=True,
        timeout=60,
    )
    assert json.loads(done.stdout.splitlines()[0])["topic"] == "depth"
    assert done.stdout.splitlines()[1:] == ["0"]
    assert done.stderr == ""


@pytest.mark.slow
def test_follow_waits_and_shows_what_comes_until_it_is_interrupted(environment, tmp_path):
    uri = f"sqlite:{tmp_path / 'later' / 'r.db'}"
    with subprocess.Popen(
        [sys.executable, "-m", "pipeline", "tail", uri, "action", "--follow", "--stream", "gate"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        env=environment,
    ) as process:
        assert "no such database" in (waits := process.stderr.readline())
        assert waits.endswith("Waiting for it\n")
        writer = open_sink(uri)
        assert process.stderr.readline().startswith("no stream 'gate'; there are: none. Waiting")
        stands = writer.claim({"gate": "0123456789ab", "door": "0123456789ab"})
        for number in range(3):
            for stream in ("door", "gate"):
                stands[stream] = replace(stands[stream], sequence=stands[stream].sequence + 1)
                writer.commit([Commit([message("action", number, stream=stream)], stands[stream])])
            assert json.loads(process.stdout.readline())["id"] == f"action/gate/s/{number}/v"
        writer.close()
        process.send_signal(signal.SIGINT)
        rest, errors = process.communicate(timeout=30)
    assert (process.returncode, rest, errors) == (0, "", "")


def test_who_waits_for_a_database_can_be_interrupted(dinostream, monkeypatch):
    monkeypatch.setattr("pipeline.cli.tail._wait", lambda _: signal.raise_signal(signal.SIGINT))
    done = dinostream("tail", "sqlite:never.db", "--follow")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.slow
@pytest.mark.needs_kafka
def test_a_broker_is_read_like_a_file(dinostream, kafka_uri):
    writer = open_sink(kafka_uri)
    progress = writer.claim({"gate": "0123456789ab"})["gate"]
    writer.commit(
        [Commit([message("depth", 0), message("action", 0)], replace(progress, sequence=1))]
    )
    writer.close()
    told = {one["topic"]: one for one in records(dinostream("tail", kafka_uri))}
    assert told["depth"]["data"]["size"] == len(PICTURE)
    assert told["action"]["data"] == {"number": 0}
    assert told["action"]["id"] == "action/gate/s/0/v"


@pytest.mark.slow
@pytest.mark.needs_kafka
def test_a_group_goes_on_where_it_was(dinostream, kafka_uri):
    writer = open_sink(kafka_uri)
    writer.publish([message("action", number) for number in range(6)])
    writer.close()

    def told(*options):
        options = ("action", "--follow", "--group", "alarms", "--limit", "2", *options)
        return [one["data"]["number"] for one in records(dinostream("tail", kafka_uri, *options))]

    assert told() == [0, 1]
    assert told("--where", "data.number > 2") == [3, 4]
    writer = open_sink(kafka_uri)
    writer.publish([message("action", 6)])
    writer.close()
    assert told() == [5, 6]
