"""`dinostream convert`, from a real sink to stdout and to another one."""

import json
import signal
import sqlite3
from contextlib import closing
from dataclasses import replace

import pytest

from pipeline import subscribe
from pipeline.cli.convert import _batches
from pipeline.convert.metropolis import frame
from pipeline.sinks.uri import open_reader, open_sink
from tests.pipeline.golden.corpus import kept

pytestmark = pytest.mark.slow


@pytest.fixture
def uri(tmp_path):
    """A sink with a record that nobody understands among those of a release."""
    uri = f"sqlite:{tmp_path / 'r.db'}"
    messages = kept("2026.11")
    broken = next(one for one in messages if one.topic == "segmentation.summary")
    headers = {**broken.headers, "ce_id": f"{broken.id}0", "ce_type": "dinostream.mood.v9"}
    with closing(open_sink(uri)) as sink:
        sink.publish([*messages, type(broken)(broken.topic, broken.key, headers, broken.value)])
    return uri


def test_stdout_has_a_line_for_each_message(process, uri):
    done = process("convert", uri, "deepstream-minimal", "--stream", "gate")
    assert (done.returncode, done.stderr) == (0, "")
    (message,) = [json.loads(line) for line in done.stdout.splitlines()]
    assert (message["sensorId"], message["version"]) == ("gate", "4.0")


def test_another_sink_gets_a_topic_of_messages_once(dinostream, uri, tmp_path):
    target = f"sqlite:{tmp_path / 'theirs.db'}"
    for _ in range(2):
        done = dinostream("convert", uri, "metropolis", "--to", target)
        assert (done.returncode, done.stderr) == (0, "records that could not be read: 1\n")
    with closing(open_reader(target)) as reader:
        messages = [record.message for record in reader.records()]
    results = subscribe(uri, topics=["segmentation.summary"], follow=False)
    assert [one.value for one in messages] == [value for one in results for value in frame(one)]
    assert [(one.topic, one.key) for one in messages] == [
        ("metropolis", "room-1"),
        ("metropolis", "gate"),
    ]


@pytest.mark.needs_kafka
def test_a_broker_gets_them_under_the_streams_key(dinostream, uri, kafka_uri):
    done = dinostream("convert", uri, "deepstream", "--stream", "gate", "--to", kafka_uri)
    assert done.returncode == 0, done.stderr
    with closing(open_reader(kafka_uri)) as reader:
        messages = [record.message for record in reader.records(["deepstream"])]
    assert {one.key for one in messages} == {"gate"}
    assert len(messages) > 10
    for one in messages:
        assert one.id == f"deepstream/{json.loads(one.value)['messageid']}"


def test_who_follows_bears_that_the_other_sink_is_away(started, uri, tmp_path):
    target = tmp_path / "theirs.db"
    open_sink(f"sqlite:{target}").close()
    process = started("convert", uri, "deepstream-minimal", "--follow", "--to", f"sqlite:{target}")
    with closing(open_reader(f"sqlite:{target}")) as reader:
        records = reader.records(follow=True)
        first = [next(records).message for _ in range(2)]
        assert [one.key for one in first] == ["room-1", "gate"]
        holder = sqlite3.connect(target, isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        summary = next(one for one in kept("2026.11") if one.topic == "segmentation.summary")
        headers = {**summary.headers, "ce_id": f"{summary.id[:-12]}0123456789ab"}
        with closing(open_sink(uri)) as sink:
            sink.publish([type(summary)(summary.topic, summary.key, headers, summary.value)])
        assert "is away" in process.stderr.readline()
        holder.close()
        assert next(records).message.value == first[0].value
    process.send_signal(signal.SIGINT)
    assert process.wait() == 0


@pytest.mark.parametrize("form", ["deepstream-minimal", "deepstream", "metropolis"])
def test_what_lacks_its_time_is_counted_and_the_rest_goes_on(dinostream, tmp_path, form):
    uri = f"sqlite:{tmp_path / 'r.db'}"
    summary = next(one for one in kept("2026.11") if one.topic == "segmentation.summary")
    timeless = {name: said for name, said in summary.headers.items() if name != "ce_time"}
    timeless["ce_id"] = f"{summary.id[:-12]}0123456789ab"
    with closing(open_sink(uri)) as sink:
        sink.publish([replace(summary, headers=timeless), summary])
    done = dinostream("convert", uri, form, "--to", f"sqlite:{tmp_path / 'theirs.db'}")
    assert (done.returncode, done.stderr) == (0, "records that could not be read: 1\n")
    with closing(open_reader(f"sqlite:{tmp_path / 'theirs.db'}")) as reader:
        made = [record.message.id for record in reader.records()]
    assert made
    assert all(one.startswith(f"{form}/{summary.id}/") for one in made)


def test_a_message_that_is_there_with_another_value_is_told(dinostream, uri, tmp_path):
    target = f"sqlite:{tmp_path / 'theirs.db'}"
    arguments = ("convert", uri, "metropolis", "--stream", "gate", "--to", target)
    assert dinostream(*arguments).returncode == 0
    with closing(sqlite3.connect(tmp_path / "theirs.db")) as db, db:
        db.execute("UPDATE records SET value=x'00'")
    done = dinostream(*arguments)
    assert done.returncode == 1
    assert "messages that are there with another value, and stay as they are: 1" in done.stderr


@pytest.mark.needs_kafka
def test_each_sink_has_settings_of_its_own(dinostream, uri, kafka_uri, tmp_path):
    """A login, say, that is not for the other broker's eyes."""
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("sink: {uri: 'kafka://h:1', settings: {sasl_mechanisms: PLAIN}}\n")
    there = ("convert", uri, "metropolis", "--to", kafka_uri)
    assert "Kafka client" in dinostream(*there, "--config", wrong).stderr
    assert "did you mean sasl_mechanism" in dinostream(*there, "--to-config", wrong).stderr
    assert dinostream(*there).returncode == 0
    read = ("convert", kafka_uri, "metropolis", "--to", f"sqlite:{tmp_path / 'theirs.db'}")
    assert "Kafka client" in dinostream(*read, "--to-config", wrong).stderr
    assert "did you mean sasl_mechanism" in dinostream(*read, "--config", wrong).stderr
    both = ("convert", kafka_uri, "metropolis", "--to", f"{kafka_uri}.mdx")
    for option in ("--config", "--to-config"):
        assert "did you mean sasl_mechanism" in dinostream(*both, option, wrong).stderr


def test_the_next_result_is_asked_for_when_the_one_before_is_written():
    asked = []

    def results():
        for number in range(5):
            asked.append(number)
            yield number

    for some in _batches(results(), 1):
        assert some == [asked[-1]]
    assert list(_batches(results(), 2)) == [[0, 1], [2, 3], [4]]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("sqlite:none.db", "deepstream"), "none.db"),
        (("sqlite:none.db", "onvif"), "deepstream-minimal"),
        (("sqlite:none.db", "deepstream", "--group", "bridge"), "--follow"),
        (("sqlite:none.db", "deepstream", "--to-config", "login.yaml"), "sink of --to"),
        (("sqlite:none.db", "deepstream", "--config", "login.yaml"), "--config is for SINK"),
    ],
)
def test_what_cannot_be_is_told(dinostream, arguments, said):
    done = dinostream("convert", *arguments)
    assert done.returncode == 2
    assert said in done.stderr
