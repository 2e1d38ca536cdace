"""The benchmark of the whole job, run for real and small. Structure and gate; never a time."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing

import numpy as np
import pytest

from pipeline import cli
from pipeline.bench import memory, replay
from pipeline.bench.clip import bench_clip
from pipeline.bench.report import report_lines
from pipeline.bench.task import Task
from pipeline.bench.trial import run_trial
from pipeline.errors import RuntimeFailure

WORDS = ["bench", "replay", "--seconds", "2", "--rounds", "1", "--shape", "square", "--no-ray"]
TINY = ["--model", "dinov2_vitti14", "--short-side", "56"]


@pytest.fixture
def home(tmp_path, tiny_clip, monkeypatch):
    """A home whose cache holds the clip."""
    monkeypatch.setenv("HOME", str(tmp_path))
    shutil.copytree(tiny_clip.parent, tmp_path / ".cache" / "dinostream" / "bench")
    return tmp_path


@pytest.mark.slow
def test_a_small_run_reports_everything(finished, home, monkeypatch, capsys, tmp_path):
    """Of those that write records the runs are those that other tests have had for theirs."""
    ran: list[str] = []

    def run(task):
        ran.append(task.contender)
        if task.contender not in finished:
            return run_trial(task)
        done, trial = finished[task.contender]
        shutil.copytree(done.folder, task.folder)
        return trial

    monkeypatch.setattr(replay, "run_trial", run)
    out = tmp_path / "new" / "report.json"
    assert cli.main([*WORDS, *TINY, "--out", str(out)]) == 0
    report = json.loads(out.read_text())
    captured = capsys.readouterr()
    assert captured.out.splitlines() == report_lines(report)
    assert "| inline: speed of the ideal's" in captured.out
    assert len(captured.err.splitlines()) == 6  # the gate's two and a round of four

    assert ran == ["plain", "inline", "plain", "inline", "decode", "engine"]
    assert report["commit"]
    assert report["machine"]["cpu"]
    assert set(report["versions"]) >= {"torch", "av", "ray", "transformers"}
    assert len(report["load"]) == len(report["load_after"]) == 3
    (shape,) = report["shapes"]
    assert shape["frames"] == 10
    assert shape["workload"]["size_wh"] == [360, 360]
    assert shape["gate"]["inline"]["same_frames"] is True
    assert set(shape["contenders"]) == {"plain", "inline", "decode", "engine"}
    for figures in shape["contenders"].values():
        assert {one["name"] for one in figures} >= {"time", "rate", "CPU", "peak memory"}
        assert all(len(one["values"]) == 1 and one["median"] > 0 for one in figures)
    inline = {one["name"] for one in shape["contenders"]["inline"]}
    assert inline >= {"start to first record", "decode process"}
    assert len(shape["figures"]) == 4
    assert all(one["goal"] is not None for one in shape["figures"])


def perturbed(finished, damage):
    """Contenders whose results are those of a real run, ours with a fault."""
    ran = []

    def run(task):
        ran.append(task.contender)
        done, trial = finished[task.contender]
        shutil.copytree(done.folder, task.folder)
        if task.contender == "inline":
            with closing(sqlite3.connect(task.database)) as connection, connection:
                damage(connection)
        return trial

    return run, ran


def noise(connection):
    vector = np.random.default_rng(0).standard_normal(192).astype("<f4").tobytes()
    changed = connection.execute(
        "UPDATE records SET value = ? WHERE topic = 'embedding' AND offset = "
        "(SELECT max(offset) FROM records WHERE topic = 'embedding')",
        (vector,),
    )
    assert changed.rowcount == 1


def loss(connection):
    assert connection.execute("DELETE FROM records WHERE topic = 'action'").rowcount == 2


@pytest.mark.slow
@pytest.mark.parametrize(
    ("damage", "said"), [(noise, "class tokens: cosine"), (loss, "records per topic differ")]
)
def test_a_red_gate_prints_no_figures(finished, home, monkeypatch, capsys, damage, said):
    run, ran = perturbed(finished, damage)
    monkeypatch.setattr(replay, "run_trial", run)
    out = home / "report.json"

    assert cli.main([*WORDS, *TINY, "--json", "--out", str(out)]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "disagree, so no figures" in captured.err
    assert said in captured.err
    assert not out.exists()
    assert ran == ["plain", "inline"]  # and nobody was measured


@pytest.mark.slow
def test_a_small_run_reports_memory(finished, tmp_path, tiny_settings, monkeypatch):
    """The short clip's run is one that other tests have had; the long one's is its own."""
    ran: list[str] = []

    def run(task):
        ran.append(task.workload.name)
        if len(ran) > 1:
            return run_trial(task)
        done, trial = finished[task.contender]
        shutil.copytree(done.folder, task.folder)
        return trial

    monkeypatch.setattr(memory, "run_trial", run)
    figures = memory.measure_memory(
        ("inline",), tiny_settings.clips, tmp_path, lambda _: None, lengths_s=(0.4, 0.8)
    )
    assert ran == ["0.4 s", "0.8 s"]
    assert [one["name"] for one in figures] == [
        "inline: peak memory of 0.4 s",
        "inline: peak memory of 0.8 s",
        "inline: the long clip's of the short one's",
        "inline: its decode process",
    ]
    assert all(one["median"] > 0 for one in figures)
    assert list(tmp_path.iterdir()) == []


def test_a_clip_is_made_once(tiny_settings, tiny_clip):
    told = []
    assert bench_clip(tiny_settings.workload("square"), tiny_settings.clips, told.append)
    assert told == []


def test_a_contender_that_fails_says_why(tiny_settings, tmp_path):
    absent = Task("decode", tiny_settings.workload("square"), "absent.mp4", tmp_path / "decode")
    with pytest.raises(RuntimeFailure, match="contender decode ended with 1") as caught:
        run_trial(absent)
    assert "absent.mp4" in str(caught.value)


@pytest.mark.parametrize("words", [["--seconds", "0"], ["--rounds", "0"], ["--model", "x"]])
def test_bad_usage_is_refused_before_anything_runs(words, capsys):
    assert cli.main(["bench", "replay", *words]) == 2
    assert capsys.readouterr().out == ""
