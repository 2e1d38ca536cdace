"""`dinostream tail --format parquet`: the rows of csv, in a file that can be read after Ctrl-C."""

from __future__ import annotations

import csv
import json
import signal
import sys
from contextlib import closing
from datetime import UTC, datetime

import pyarrow.parquet
import pytest

from pipeline.sinks.uri import open_sink
from tests.pipeline.golden.corpus import kept

pytestmark = pytest.mark.slow


@pytest.fixture
def uri(tmp_path):
    uri = f"sqlite:{tmp_path / 'r.db'}"
    with closing(open_sink(uri)) as sink:
        sink.publish(kept("2026.11"))
    return uri


def rows(path):
    return pyarrow.parquet.read_table(path).to_pylist()


def moment(text):
    return datetime.fromisoformat(text) if text else None


@pytest.mark.parametrize("more", [(), ("--latency",), ("depth", "--limit", "1")])
def test_rows_are_those_of_csv(dinostream, uri, tmp_path, more):
    lines = csv.DictReader(dinostream("tail", uri, *more, "--format", "csv").stdout.splitlines())
    done = dinostream("tail", uri, *more, "--format", "parquet", "-o", "r.parquet")
    assert (done.returncode, done.stdout) == (0, "")
    found, expected = rows(tmp_path / "r.parquet"), list(lines)
    assert len(found) == len(expected) > 0
    for row, line in zip(found, expected, strict=True):
        assert list(row) == list(line)
        numbers = {name: int(line[name]) for name in ("partition", "offset")}
        texts = {name: text or None for name, text in line.items()}
        for one in (row, texts) if "latency_s" in row else ():  # another moment's
            one["latency_s"] = list(json.loads(one["latency_s"]) or ())
        assert row == texts | numbers | {"time": moment(line["time"])}


def test_types_are_fit_for_analysis(dinostream, uri, tmp_path):
    dinostream("tail", uri, "--format", "parquet", "-o", "r.parquet")
    types = {
        field.name: str(field.type) for field in pyarrow.parquet.read_schema(tmp_path / "r.parquet")
    }
    assert types == dict.fromkeys(("topic", "streamid", "id", "data"), "string") | {
        "partition": "int64",
        "offset": "int64",
        "time": "timestamp[us, tz=UTC]",
    }
    times = {row["time"] for row in rows(tmp_path / "r.parquet") if row["streamid"] == "gate"}
    assert datetime(2026, 11, 22, 17, tzinfo=UTC) in times


def test_who_is_interrupted_has_all_that_came(started, tmp_path, uri):
    options = ("--follow", "--save", "maps", "--format", "parquet", "-o", "r.parquet")
    process = started("tail", uri, "depth", *options)
    there = [one for one in kept("2026.11") if one.topic == "depth"]
    with closing(open_sink(uri)) as sink:
        sink.publish([kept_as(one, "later") for one in there])
    maps = 2 * len(there)
    while len(list(tmp_path.glob("maps/*.png"))) < maps:  # each is saved just before its row
        assert process.poll() is None, process.stderr.read()
    assert not (tmp_path / "r.parquet").exists()
    process.send_signal(signal.SIGINT)
    assert (process.wait(), process.stderr.read()) == (0, "")
    assert len(rows(tmp_path / "r.parquet")) in (maps - 1, maps)
    assert not (tmp_path / "r.parquet.part").exists()


def kept_as(message, variant):
    headers = {**message.headers, "ce_id": message.id.rpartition("/")[0] + f"/{variant}"}
    return type(message)(message.topic, message.key, headers, message.value)


def test_an_error_leaves_the_file_as_it_was(dinostream, uri, tmp_path):
    (tmp_path / "r.parquet").write_text("of yesterday")
    done = dinostream("tail", uri, "--stream", "gat", "--format", "parquet", "-o", "r.parquet")
    assert done.returncode == 2
    assert "no stream 'gat'" in done.stderr
    assert (tmp_path / "r.parquet").read_text() == "of yesterday"
    assert not (tmp_path / "r.parquet.part").exists()


def test_a_time_that_is_none_is_unknown(dinostream, tmp_path):
    uri = f"sqlite:{tmp_path / 'theirs.db'}"
    depth = next(one for one in kept("2026.11") if one.topic == "depth")
    odd = [kept_as(depth, str(number)) for number in range(3)]
    for message, time in zip(odd, ("yesterday", "2026-11-22T17:00:00", None), strict=True):
        message.headers.pop("ce_time")
        message.headers.update({} if time is None else {"ce_time": time})
    with closing(open_sink(uri)) as sink:
        sink.publish(odd)
    dinostream("tail", uri, "--format", "parquet", "-o", "r.parquet")
    assert [row["time"] for row in rows(tmp_path / "r.parquet")] == [None] * 3


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--format", "parquet"), "-o FILE"),
        (("-o", "r.parquet"), "--format parquet"),
        (("--format", "parquet", "-o", "none/r.parquet"), "cannot write none/r.parquet"),
        (("--format", "parquet", "-o", "r.parquet", "-f", "--group", "a"), "--group is for lines"),
    ],
)
def test_what_cannot_be_is_told(dinostream, uri, options, said):
    done = dinostream("tail", uri, *options)
    assert done.returncode in (1, 2)
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_without_pyarrow_the_extra_is_named(dinostream, uri, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    done = dinostream("tail", uri, "--format", "parquet", "-o", "r.parquet")
    assert done.returncode == 2
    assert "pip install '.[parquet]'" in done.stderr
