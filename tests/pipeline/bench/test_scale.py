"""`bench scale`, run for real and small. Structure and counts; never a time."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline import cli
from pipeline.bench import scale
from pipeline.bench.roles import ROLES
from pipeline.bench.scale import Settings, Tell, run_cell
from pipeline.bench.scale_cell import Cell, Taken
from pipeline.bench.scale_report import scale_report_lines
from pipeline.bench.tree import usages
from pipeline.decode.process import ROOT
from pipeline.errors import RuntimeFailure

SMALL = ["--fps", "40", "--seconds", "1", "--short-side", "28"]
SETTINGS = Settings(fps=40.0, seconds=1.0, short_side=28)
GONE_S = 180.0  # a busy machine begins what it is to end


def records(folder: str) -> dict[str, int]:
    """Stream -> records of its frames."""
    counted = "SELECT key, count(*) FROM records WHERE topic = 'embedding' GROUP BY key"
    with closing(sqlite3.connect(Path(folder, "results.db"))) as connection:
        return dict(connection.execute(counted))


@pytest.fixture(scope="module")
def inline(tmp_path_factory) -> tuple[Cell, Taken]:
    """A cell and what it took, run for real."""
    cell = SETTINGS.cell("inline", 3, str(tmp_path_factory.mktemp("scale") / "inline"))
    return cell, run_cell(cell, lambda _: None)


def require_a_record_of_every_frame(cell: Cell, taken: Taken) -> None:
    counts = records(cell.folder)
    assert len(counts) == cell.streams
    assert sum(counts.values()) >= taken.frames > 0


@pytest.mark.slow
def test_inline_every_frame_leaves_a_record(inline) -> None:
    cell, taken = inline
    require_a_record_of_every_frame(cell, taken)
    assert set(taken.cpu_s) == {"engine", "sink", "cameras"}
    assert taken.store_bytes == 0


@pytest.mark.slow
def test_on_ray_too_and_frames_go_through_its_store(tmp_path) -> None:
    told: list[str] = []
    cell = SETTINGS.cell("ray", 3, str(tmp_path / "cell"))
    taken = run_cell(cell, told.append)
    assert told == ["all streams are live; measuring for 1 s"]
    require_a_record_of_every_frame(cell, taken)
    assert set(taken.cpu_s) == set(ROLES)
    assert taken.store_bytes > 0


@pytest.mark.slow
def test_a_run_reports_everything(inline, monkeypatch, capsys, tmp_path) -> None:
    """Its cells are one that has run for real."""
    ran: list[tuple[str, int]] = []

    def run(cell: Cell, tell: Tell) -> Taken:
        ran.append((cell.runtime, cell.streams))
        tell("measuring")
        return replace(inline[1], dropped=0)  # which a busy machine decides

    monkeypatch.setattr(scale, "run_cell", run)
    out = tmp_path / "report.json"
    few = ["--streams", "20", "--streams", "1", "--streams", "10", "--no-ray", "--rounds", "2"]
    assert cli.main(["bench", "scale", *few, *SMALL, "--out", str(out)]) == 0
    report = json.loads(out.read_text())
    captured = capsys.readouterr()
    assert captured.out.splitlines() == scale_report_lines(report)
    assert ran == [("inline", streams) for streams in (1, 10, 20)] * 2
    assert captured.err.splitlines()[-2:] == [
        "round 2, inline, 20 streams: starting",
        "round 2, inline, 20 streams: measuring",
    ]
    assert report["commit"]
    assert [one["streams"] for one in report["cells"]] == [1, 10, 20]
    median = {one["name"]: one["median"] for one in report["cells"][0]["figures"]}
    assert median["CPU"] == pytest.approx(median["CPU of engine"] + median["CPU of sink"])
    assert median["CPU of engine"] > 0
    assert median["memory"] > 0
    assert report["cells"][0]["kept_up"] == [True, True]
    growth = report["figures"][0]
    assert growth["name"] == "inline: CPU per frame, 20 streams beside 10"
    assert growth["values"] == [1.0, 1.0]


@pytest.mark.slow
def test_a_cell_that_fails_says_why(tmp_path) -> None:
    cell = replace(SETTINGS.cell("inline", 3, str(tmp_path / "cell")), kafka="localhost:1,")
    with pytest.raises(RuntimeFailure, match="inline with 3 streams ended with 1") as caught:
        run_cell(cell, lambda _: None)
    assert "localhost:1," in str(caught.value)


@pytest.mark.slow
def test_ctrl_c_ends_it_and_leaves_no_process(tmp_path) -> None:
    words = ["bench", "scale", "--streams", "3", "--no-ray", *SMALL, "--seconds", "600"]
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "pipeline", *words],
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path)},
    )
    assert process.stderr
    while "measuring" not in (line := process.stderr.readline()):
        assert line, "it ended before that"
    born = usages(process.pid)
    assert any("switchboard" in one.command for one in born.values())
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=GONE_S)
    assert process.returncode == 130
    assert out == ""
    assert err.endswith("dinostream: interrupted\n")
    assert [pid for pid in born if Path(f"/proc/{pid}").exists()] == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--streams", "0"], "--streams"),
        (["--fps", "nan"], "--fps"),
        (["--kafka", "nowhere"], "nowhere"),
    ],
)
def test_bad_usage_is_refused_before_anything_runs(words, said, capsys) -> None:
    assert cli.main(["bench", "scale", *words]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert said in captured.err
    assert "starting" not in captured.err
