"""`dinostream view --view rerun` as a person uses it."""

import sys
from contextlib import closing

import pytest

from pipeline.sinks.uri import open_sink
from tests.pipeline.golden.corpus import kept


@pytest.fixture
def sink(tmp_path):
    uri = f"sqlite:{tmp_path / 'r.db'}"
    with closing(open_sink(uri)) as sink:
        sink.publish(kept("2026.11"))
    return uri


def test_it_says_what_became_of_the_records(dinostream, sink, tmp_path):
    pytest.importorskip("rerun")
    done = dinostream("view", sink, "--view", "rerun", "-o", "r.rrd")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("r.rrd: ")
    assert "0 could not be read" in done.stdout
    assert (tmp_path / "r.rrd").stat().st_size > 1000


@pytest.mark.parametrize("words", ["--view rerun", "-o r.rrd"])
def test_the_viewer_and_its_file_go_together(dinostream, sink, words):
    done = dinostream("view", sink, *words.split())
    assert done.returncode == 2
    assert "--view rerun and -o FILE.rrd go together" in done.stderr


def test_without_the_sdk_the_extra_is_named(dinostream, sink, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "rerun", None)
    done = dinostream("view", sink, "--view", "rerun", "-o", "r.rrd")
    assert done.returncode == 2
    assert "pip install '.[rerun]'" in done.stderr
    assert list(tmp_path.glob("*.rrd*")) == []
