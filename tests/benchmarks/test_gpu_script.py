"""`benchmarks/gpu.sh` for real: without a GPU, with an interpreter that only claims one, and on a
card that is not there."""

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import av
import pytest
import torch

from benchmarks.tune_attention import CLASSES

ROOT = Path(__file__).parents[2]
# Part by part: one reports, one fails after its report, one is ended, one leaves a torn report.
STAND_IN = """#!/usr/bin/env bash
out=${@: -1}
case "$*" in
*gather.py*) exec REAL "$@" ;;
*"kernels.bench --only attention"*) echo '{"complete": true}' >"$out"; echo "all green" ;;
*tune_attention*) echo '{"rows": []}' >"$out"; exit 124 ;;
*operators.bench*vitl14*) for i in $(seq 30); do echo "line $i"; done; exit 3 ;;
*"kernels.bench --only fused"*) echo '{"torn' >"$out" ;;
*"import pytest"* | *"import av"*) exit 1 ;;
esac
"""


# Everything for real but the card, see `fake_card`.
ON_FAKE_CARD = """#!/usr/bin/env bash
exec PYTHON -m tests.benchmarks.fake_card "$@"
"""
# In the place of timeout: a busy machine gets the time that it takes.
PATIENT = """#!/usr/bin/env bash
shift 2
exec "$@"
"""


def script(path: Path, text: str) -> str:
    path.write_text(text)
    path.chmod(0o755)
    return str(path)


def run(out: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    script(out.parent / "timeout", PATIENT)
    environment = {"PATH": f"{out.parent}:{os.environ['PATH']}"} | environment
    return subprocess.run(
        [str(ROOT / "benchmarks" / "gpu.sh"), out.name],
        capture_output=True,
        text=True,
        cwd=out.parent,
        env=os.environ | environment,
        check=False,
    )


@pytest.mark.skipif(torch.cuda.is_available(), reason="shows a machine without a GPU")
def test_without_a_gpu_it_says_so_and_leaves_the_reasons(tmp_path: Path) -> None:
    done = run(tmp_path / "gpu.json", PYTHON=sys.executable)
    assert done.returncode == 1
    assert "No GPU: torch sees no CUDA device. Nothing was measured." in done.stderr
    results = json.loads((tmp_path / "gpu.json").read_text())
    device, *others = results["parts"].values()
    assert not results["ok"]
    assert device["last_words"] == ["torch sees no CUDA device"]
    assert device["exit_code"] == 1
    assert len(others) == 12
    assert all(part == {"ok": None, "ran": False, "why": "no GPU"} for part in others)


def test_a_part_that_fails_does_not_stop_the_next(tmp_path: Path) -> None:
    stand_in = script(tmp_path / "python", STAND_IN.replace("REAL", sys.executable))
    done = run(tmp_path / "gpu.json", PYTHON=stand_in, PATH=os.environ["PATH"])
    assert done.returncode == 1
    parts = json.loads((tmp_path / "gpu.json").read_text())["parts"]
    assert parts["attention"]["ok"]
    assert parts["attention"]["report"] == {"complete": True}
    assert parts["attention"]["last_words"] == ["all green"]
    assert "--out {}" in parts["attention"]["command"]
    assert parts["tiles"]["report"] == {"rows": []}  # what an ended part has left is kept
    assert parts["tiles"]["why"] == "ended at its limit of 45 s"
    assert parts["backbone-l"]["exit_code"] == 3
    assert parts["backbone-l"]["last_words"][-1] == "line 30"
    assert len(parts["backbone-l"]["last_words"]) == 15
    assert parts["fused"]["why"].startswith("its report cannot be read")
    assert parts["tests"]["why"] == "pytest is not installed"
    assert parts["nvdec"]["why"] == "av (PyAV) is not installed"
    assert parts["backbone-g"]["ok"]
    left_out_s = 35 + 30  # tests and nvdec
    assert sum(part.get("limit_s", 0) for part in parts.values()) + left_out_s <= 8 * 60
    assert "NOT OK backbone-l after" in done.stdout


@pytest.mark.slow
def test_on_a_card_every_part_ends_with_its_report(tmp_path: Path) -> None:
    python = script(tmp_path / "python", ON_FAKE_CARD.replace("PYTHON", sys.executable))
    done = run(tmp_path / "gpu.json", PYTHON=python, OMP_NUM_THREADS="1")
    parts = json.loads((tmp_path / "gpu.json").read_text())["parts"]
    if av.__version__ < "19":  # which gives no pictures to a card
        assert "PyAV 19 or newer" in parts.pop("nvdec")["last_words"][-1]
    else:
        assert done.returncode == 0
        assert parts["nvdec"]["report"]["all_frames"]
        assert parts["nvdec"]["report"]["devices"].keys() == {"cpu", "cuda"}
    assert {name: part["why"] for name, part in parts.items() if not part["ok"]} == {}
    reports = {name: part["report"] for name, part in parts.items() if part["report"]}
    assert reports.keys() == parts.keys() - {"device", "tests"}
    assert len(reports["attention"]["rows"]) == 4
    assert len(reports["backward"]["rows"]) == 2
    assert len(reports["fused"]["rows"]) == 5
    assert all(reports[name]["complete"] for name in ("attention", "backward", "fused"))
    assert [rung["name"] for rung in reports["ladder"]["rungs"]] == ["a", "b", "c", "d"]
    assert len(reports["tiles"]["rows"]) == len(CLASSES)
    assert len(reports["heads"]["rows"]) == 2 * 3
    for size in "slbg":
        (model,) = reports[f"backbone-{size}"]
        few, many = (len(task["seconds"]) for task in model["tasks"])
        transformers = size == "s" and find_spec("transformers")  # the others do without
        assert (few, many) == ((6, 8) if transformers else (3, 4))
    assert " passed" in parts["tests"]["last_words"][-1]


def test_help_has_an_example() -> None:
    command = str(ROOT / "benchmarks" / "gpu.sh")
    done = subprocess.run([command, "--help"], capture_output=True, text=True, check=True)
    assert "Example: benchmarks/gpu.sh" in done.stdout
    assert subprocess.run([command, "--fast"], capture_output=True, check=False).returncode == 2
