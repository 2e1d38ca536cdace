"""The benchmark of the operators, run for real and small. Structure and gate; never a time."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from operators.format import BUILT_IN
from operators.pca.operator import Pca
from operators.vector.embedding import Embedding
from pipeline import cli
from pipeline.bench import operators
from pipeline.bench.operator_report import operator_report_lines
from pipeline.bench.shares import MOST_PLACES_SHARE, MOST_SHARE
from pipeline.configuration.config import OPERATORS

ROOT = Path(__file__).parents[3]
SMALL = ["--seconds", "2", "--rounds", "2", "--threads", "1"]
TINY = ["--model", "dinov2_vitti14", "--short-side", "28"]
WORDS = ["bench", "operators", *SMALL, *TINY]


@pytest.fixture
def home(tmp_path, tiny_clip, monkeypatch):
    """A home whose cache holds the clip."""
    monkeypatch.setenv("HOME", str(tmp_path))
    shutil.copytree(tiny_clip.parent, tmp_path / ".cache" / "dinostream" / "bench")
    return tmp_path


def test_a_small_run_reports_everything_and_needs_no_ray(home):
    out = home / "new" / "report.json"
    script = (
        "import sys; from pipeline import cli; code = cli.main(sys.argv[1:]); "
        "assert not {'ray', 'transformers', 'kafka'} & set(sys.modules); sys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, *WORDS, "--out", str(out)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "HOME": str(home)},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    report = json.loads(out.read_text())
    assert done.stdout.splitlines() == operator_report_lines(report)

    assert report["commit"]
    assert report["machine"]["cpu"]
    assert report["versions"]["torch"] != "absent"
    assert len(report["load"]) == len(report["load_after"]) == 3
    assert report["frames"] == 10
    assert report["model_hw"] == [28, 28]
    assert report["workload"]["threads"] == 1
    assert list(report["contenders"]) == ["backbone", *BUILT_IN]
    for name, figures in report["contenders"].items():
        assert [one["name"] for one in figures] == ["time", "CPU", "share"][: len(figures)]
        assert len(figures) == (2 if name == "backbone" else 3)
        assert all(len(one["values"]) == 2 and one["median"] > 0 for one in figures)
    records = {name: said["records"] for name, said in report["gate"].items()}
    assert records.keys() == set(BUILT_IN)
    assert records["embedding"] == records["pca"] == records["classify"] == 10
    assert records["depth"] == records["segmentation"] == 20  # a map and its summary
    assert records["detect"] == 10
    assert records["zones"] >= 10  # of every frame, and of what has lasted
    assert records["action"] >= 1
    default, *_ = report["figures"]
    assert all(name in default["name"] for name in OPERATORS)
    assert default["goal"] is None  # which is for 224 pixels
    share = sum(report["contenders"][name][2]["values"][0] for name in OPERATORS)
    assert default["values"][0] == pytest.approx(share)


def vectors_that_change(self, features):
    self.calls = getattr(self, "calls", 0) + 1
    results = genuine_embedding(self, features)
    return results if self.calls <= 2 else results[:-1]  # two batches are a lap


def vectors_that_are_no_numbers(self, features):
    results = genuine_embedding(self, features)
    object.__setattr__(results[0], "data", b"\xff" * len(results[0].data))
    return results


def pictures_that_are_torn(self, features):
    results = genuine_pca(self, features)
    object.__setattr__(results[-1], "data", results[-1].data[:-40])
    return results


genuine_embedding, genuine_pca = Embedding.__call__, Pca.__call__


@pytest.mark.parametrize(
    ("operator", "fault", "said"),
    [
        (Embedding, vectors_that_change, "embedding said something else about the same frames"),
        (Embedding, vectors_that_are_no_numbers, "embedding: embedding of frame"),
        (Embedding, lambda self, features: [], "embedding says nothing"),
        (Pca, pictures_that_are_torn, "pca: pca of frame"),
    ],
)
def test_a_red_gate_prints_no_figures(home, monkeypatch, capsys, operator, fault, said):
    monkeypatch.setattr(operator, "__call__", fault)
    out = home / "report.json"
    assert cli.main([*WORDS, "--json", "--out", str(out)]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert said in captured.err
    assert "so no figures" in captured.err
    assert not out.exists()


def test_a_memory_that_outlives_its_lap_is_red(home, monkeypatch, capsys):
    monkeypatch.setattr(Pca, "reset", lambda self, stream, reason: [])
    assert cli.main(WORDS) == 1
    assert "pca said something else about the same frames" in capsys.readouterr().err


def test_the_goal_is_for_224_pixels_on_a_cpu(home, monkeypatch, capsys):
    """Held to at the size of this run, which is quicker."""
    assert operators.GOAL_SHORT_SIDE == 224
    monkeypatch.setattr(operators, "GOAL_SHORT_SIDE", 28)
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert cli.main([*WORDS, "--json"]) == 0
    default, _, places, *others = json.loads(capsys.readouterr().out)["figures"]
    for one, goal in ((default, MOST_SHARE), (places, MOST_PLACES_SHARE)):
        assert one["goal"] == goal
        assert one["met"] is (one["median"] <= goal)
    assert "zones" in places["name"]
    assert [one["goal"] for one in others] == [None] * 3


@pytest.mark.parametrize(
    "words",
    [
        *(["--seconds", "0"], ["--rounds", "0"], ["--threads", "0"], ["--short-side", "13"]),
        ["--model", "dinov2_vits14_reg"],
    ],
)
def test_bad_usage_is_refused_before_anything_runs(words, capsys):
    assert cli.main(["bench", "operators", *words]) == 2
    assert capsys.readouterr().out == ""
