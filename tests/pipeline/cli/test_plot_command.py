"""`dinostream plot` as a person uses it."""

import os
import subprocess
import sys
from contextlib import closing
from xml.etree import ElementTree

import pytest

from pipeline.cli.plot import WHAT
from pipeline.plot.records import QUESTIONS
from pipeline.sinks.uri import open_sink


@pytest.fixture
def sink(tmp_path, build):
    uri = f"sqlite:{tmp_path / 'r.db'}"
    with closing(open_sink(uri)) as sink:
        sink.claim({"gate": "feedfacecafe"})
        sink.publish([build.message(number, "gate") for number in range(5)])
    return uri


def test_a_file_and_stdout_are_the_same_document(dinostream, sink, tmp_path):
    assert dinostream("plot", sink, "-o", "r.svg").returncode == 0
    done = dinostream("plot", sink, "-o", "-")
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "r.svg").read_text() == done.stdout
    assert ElementTree.fromstring(done.stdout).tag.endswith("svg")
    assert sorted(path.name for path in tmp_path.glob("r.svg*")) == ["r.svg"]


def test_all_is_drawn_that_can_be_asked_for(dinostream, sink):
    assert tuple(QUESTIONS) == WHAT
    done = [dinostream("plot", sink, "-o", "-", "--what", name) for name in WHAT]
    assert [(one.returncode, one.stderr) for one in done] == [(0, "")] * len(WHAT)
    alone = [one.stdout for one in done]
    assert len(set(alone)) == len(WHAT)
    assert dinostream("plot", sink, "-o", "-", "--what", ",".join(WHAT)).stdout == (
        dinostream("plot", sink, "-o", "-").stdout
    )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("-o r.png", "give a name that ends in .svg"),
        ("-o -", "nothing to draw"),
        ("-o - --what ledgr", "did you mean ledger?"),
        ("-o - --stream gaet", "no stream 'gaet'; did you mean gate?"),
        ("-o - --until yesterday", "no time with a zone"),
        ("", "Missing option '-o'"),
    ],
)
def test_bad_usage_is_told_by_name(dinostream, sink, words, said):
    since = ["--since", "2999-01-01T00:00:00Z"] if said == "nothing to draw" else []
    done = dinostream("plot", sink, *words.split(), *since)
    assert done.returncode == 2
    assert said in done.stderr
    assert done.stdout == ""


def test_options_of_a_sink_are_not_for_a_report(dinostream):
    done = dinostream("plot", "bench.json", "-o", "-", "--stream", "gate")
    assert done.returncode == 2
    assert "--stream is for a SINK" in done.stderr
    done = dinostream("plot", "results.db", "-o", "-")
    assert (done.returncode, "a sink is sqlite:PATH" in done.stderr) == (2, True)


def test_where_nothing_can_be_written_nothing_is_left(dinostream, sink, tmp_path):
    done = dinostream("plot", sink, "-o", "absent/r.svg")
    assert done.returncode == 1
    assert "cannot write absent/r.svg" in done.stderr


@pytest.mark.slow
def test_who_reads_no_further_is_no_trouble(sink, environment):
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, "-m", "pipeline", "plot", sink, "-o", "-"]
    done = subprocess.run(
        command, stdout=write, stderr=subprocess.PIPE, text=True, env=environment, check=False
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.slow
@pytest.mark.needs_kafka
def test_topics_of_a_broker(dinostream, build, kafka_uri):
    with closing(open_sink(kafka_uri)) as sink:
        sink.publish([build.message(number, "gate") for number in range(5)])
    done = dinostream("plot", kafka_uri, "-o", "-", "--what", "throughput")
    assert done.returncode == 0, done.stderr
    assert "gate (5 frames)" in done.stdout
