"""What a card has measured becomes rows of the table, by its worst shape."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


def timed(workload: str, ours_us: float, eager_us: float) -> dict[str, Any]:
    us = {"triton": {"median": ours_us}, "eager": {"median": eager_us}, "compiled": {"median": 1.0}}
    return {"workload": workload, "us": us}


REPORT = {
    "origin": {"date": "2026-12-01T10:00:00+00:00", "compute_capability": "9.0"},
    "rows": [
        timed("norm 64x257x384", 10, 15),
        timed("norm 8x257x384", 10, 9),
        timed("add_norm 64x257x384", 10, 26),
        timed("windows 8x8x384", 10, 20),  # none of the backbone's
        {"workload": "swiglu 8x257x8192", "us": {"eager": {"median": 5.0}}},  # did not run
    ],
}


def printed(path: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "benchmarks.fused_rows", str(path)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_rows_of_a_card(tmp_path: Path) -> None:
    told = [
        '    (90, "norm"): Measured(0.90, "2026-12-01"),',
        '    (90, "add_norm"): Measured(2.60, "2026-12-01"),',
    ]
    alone, whole = tmp_path / "fused.json", tmp_path / "gpu.json"
    alone.write_text(json.dumps(REPORT))
    whole.write_text(json.dumps({"parts": {"fused": {"ran": True, "report": REPORT}}}))
    for path in (alone, whole):
        assert printed(path).stdout.splitlines() == told


def test_a_run_without_a_card_has_none(tmp_path: Path) -> None:
    path = tmp_path / "gpu.json"
    path.write_text(json.dumps({"parts": {"fused": {"ran": False, "why": "no GPU"}}}))
    done = printed(path)
    assert done.returncode == 1
    assert "no card has timed fused kernels there" in done.stderr
