"""`dinostream audit` as a person and as a script use it."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from dataclasses import replace

import pytest

from pipeline.engine.outbox import Outbox
from pipeline.records.message import Publisher
from pipeline.sinks.uri import open_sink
from pipeline.stream.chunk import End


@pytest.fixture
def sink(build, tmp_path):
    """Two streams of four frames, `gate` with a record missing."""
    path = tmp_path / "results.db"
    with contextlib.closing(open_sink(f"sqlite:{path}")) as sink:
        for stream, progress in sink.claim(dict.fromkeys(["gate", "yard"], "feedfacecafe")).items():
            outbox = Outbox(progress, [], Publisher(stream, progress.job, build.model))
            ledger = {"action": {"sampled": 4, "published": 4, "dropped": 2}}
            records = [
                build.message(number, stream, topic=topic, epoch=1)
                for number in range(4)
                for topic in ("action", "mood")
            ]
            done = replace(progress, status="ok", position="9000", frames=4, ledger=ledger)
            sink.commit([outbox.send(records, done, End(stream, "ok"))])
    with contextlib.closing(sqlite3.connect(path)) as database, database:
        database.execute("DELETE FROM records WHERE id LIKE 'mood/gate/%/3000/%'")
    return f"sqlite:{path}"


def test_it_says_what_is_missing_and_that_the_rest_is_complete(dinostream, sink, build):
    done = dinostream("audit", sink)
    assert done.returncode == 1
    name = f"mood/gate/a1b2c3d4e5f6/3000/{build.variant}"
    assert done.stdout.splitlines() == [
        "gate: NOT COMPLETE; records 8, manifests 1, ended",
        "  action: 2 dropped, 4 published, 4 sampled",
        f"  missing: 1 of 4 in mood (was committed and is not there): {name}",
        "yard: complete; records 9, manifests 1, ended",
        "  action: 2 dropped, 4 published, 4 sampled",
    ]


def test_one_stream_and_json(dinostream, sink):
    done = dinostream("audit", sink, "--stream", "yard", "--json")
    assert done.returncode == 0
    assert json.loads(done.stdout) == {
        "stream": "yard",
        "complete": True,
        "ended": True,
        "manifests": 1,
        "records": 9,
        "operators": {"action": {"sampled": 4, "published": 4, "dropped": 2}},
        "findings": [],
    }
    (finding,) = json.loads(dinostream("audit", sink, "--stream=gate", "--json").stdout)["findings"]
    assert (finding["kind"], finding["records"], finding["topic"]) == ("missing", 1, "mood")
    assert finding["ids"] == [finding["first"]] == [finding["last"]]


def test_bad_usage_is_told(dinostream, sink):
    done = dinostream("audit", sink, "--stream", "yrad")
    assert done.returncode == 2
    assert "no stream 'yrad'; did you mean yard? " in done.stderr
    assert dinostream("audit", sink, "--since", "yesterday").returncode == 2
    assert dinostream("audit", "sqlite:absent.db").returncode == 2
    open_sink("sqlite:empty.db").close()
    done = dinostream("audit", "sqlite:empty.db")
    assert done.returncode == 2
    assert "no stream was ever written there" in done.stderr


def test_nothing_since_then_is_complete(dinostream, sink):
    done = dinostream("audit", sink, "--since", "2999-01-01T00:00:00Z")
    assert done.returncode == 0
    assert "NOT" not in done.stdout
