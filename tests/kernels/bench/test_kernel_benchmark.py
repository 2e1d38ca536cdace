"""The benchmark of the kernels: without a GPU for real; with one, small; its gate with a fault."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from kernels import reference
from kernels.bench import attention, attention_peers, benchmark, compiled, fused_race, timing
from kernels.bench.__main__ import main
from kernels.bench.fused import contests
from kernels.bench.report import report_lines
from kernels.flash_variants import flash_report
from kernels.tiles import TILE_TABLE, variant_for

ROOT = Path(__file__).parents[3]
CPU = torch.device("cpu")
# What a machine that is lent for measuring may lack.
ABSENT = ("click", "numpy", "av", "ray", "kafka", "pydantic", "safetensors", "PIL", "operators")
no_gpu = pytest.mark.skipif(torch.cuda.is_available(), reason="shows a machine without a GPU")


def keep_nothing(report: dict[str, object]) -> None:
    pass


@pytest.mark.slow
@no_gpu
def test_with_torch_alone_it_compiles_and_says_that_nothing_was_timed(tmp_path: Path) -> None:
    out = tmp_path / "new" / "kernels.json"
    script = f"import sys, runpy; sys.modules |= dict.fromkeys({ABSENT}); "
    script += "from kernels.bench import compiled; "
    script += "compiled.VARIANTS = (('patches', 14), ('norm', 384)); "
    script += "runpy.run_module('kernels.bench', run_name='__main__', alter_sys=True)"
    done = subprocess.run(
        [sys.executable, "-c", script, "--only", "fused", "--out", str(out)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={key: value for key, value in os.environ.items() if key != "TRITON_INTERPRET"},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    report = json.loads(out.read_text())
    assert done.stdout.splitlines() == report_lines(report)
    assert "torch sees no CUDA device here: nothing was timed" in done.stdout
    assert "gpu.sh" in report["said"]
    assert report["complete"]
    assert report["origin"]["gpu"] is None
    assert report["origin"]["torch"] == torch.__version__
    assert "rows" not in report
    assert all(row["sound"] and row["registers"] > 0 for row in report["compiled"])
    assert [row["kernel"] for row in report["compiled"]] == ["patches", "norm"]


@pytest.mark.slow
def test_compiled_attention_is_sound_until_it_spills() -> None:
    row = next(row for row in TILE_TABLE if row.arch == 90 and row.max_tokens is None)
    variant = variant_for(257, row.tile, 64)
    report = flash_report(variant, arch=90, dtype=torch.bfloat16)
    said = compiled.describe_attention(row, variant, report)
    assert said["sound"]
    assert said["wgmma"] > 0
    assert said["exponentials_for_scores"] == said["scores_in_loop"] == 128 * 64 // 256
    assert not compiled.describe_attention(row, variant, replace(report, spill_store_bytes=4))[
        "sound"
    ]
    without_wgmma = replace(report, opcodes={"HMMA": 8})
    assert not compiled.describe_attention(row, variant, without_wgmma)["sound"]
    twice = replace(report, loops=tuple({"MUFU.EX2": 66} for _ in report.loops))
    assert not compiled.describe_attention(row, variant, twice)["sound"]


@pytest.fixture
def borrowed_gate(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A device that is said to be there, whose gate and race run torch on the CPU."""
    raced: list[str] = []

    def rows(rounds: int, device: torch.device) -> list[dict[str, object]]:
        raced.append("attention")
        return []

    monkeypatch.setattr(benchmark, "has_gpu", lambda: True)
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 0)
    monkeypatch.setattr(benchmark, "origin", origin_of_a_test)
    path = benchmark.attention_path(CPU, 64)._replace(name="triton")
    monkeypatch.setattr(benchmark, "attention_path", lambda *_: path)
    monkeypatch.setattr(benchmark, "_RACES", {"attention": rows, "fused": rows})
    return raced


def test_a_red_gate_leaves_no_figures(borrowed_gate, monkeypatch, tmp_path, capsys) -> None:
    def shifted(device: torch.device) -> list[dict[str, object]]:
        one = next(one for one in contests(torch.float32, CPU) if one.kernel == "swiglu")
        return [fused_race.check(replace(one, ours=wrong_swiglu), (3, 8), torch.float32, CPU)]

    others = dict.fromkeys(("attention", "backward"), lambda device: [])
    monkeypatch.setattr(benchmark, "_CHECKS", others | {"fused": shifted})
    out = tmp_path / "kernels.json"
    monkeypatch.setattr(sys, "argv", ["kernels.bench", "--out", str(out)])
    assert main() == 1
    said = capsys.readouterr().out
    assert "gate RED: 1 of 2 checks failed, so no figures" in said
    assert 'FAILED {"check": "swiglu [3, 8]"' in said
    assert "rows" not in json.loads(out.read_text())
    assert borrowed_gate == []


def wrong_swiglu(gate_value: torch.Tensor) -> torch.Tensor:
    return reference.swiglu(gate_value) + 1e-3


def origin_of_a_test(device: torch.device) -> dict[str, object]:
    names = ("date", "commit", "sources", "python", "torch", "triton", "gpu")
    return dict.fromkeys(names)


def test_a_gate_that_cannot_be_finished_is_red(borrowed_gate, monkeypatch) -> None:
    def out_of_memory(device: torch.device) -> list[dict[str, object]]:
        raise torch.OutOfMemoryError("there is none\nleft")

    monkeypatch.setattr(benchmark, "_CHECKS", {"attention": out_of_memory})
    report = benchmark.measure(rounds=2, parts=["attention"], tell=print, keep=keep_nothing)
    assert not benchmark.is_sound(report)
    assert report["gate"][-1]["said"] == "OutOfMemoryError: there is none"
    assert borrowed_gate == []


def test_peers_between_the_same_layouts_compute_the_same() -> None:
    qkv = torch.randn(2, 37, 3, 2, 64)
    found, absent = attention_peers.peers()
    assert {*found, *absent} == {
        *("sdpa", "sdpa_flash", "sdpa_cudnn", "flash_attn_3", "flash_attn_2")
    }
    torch.testing.assert_close(found["sdpa"](qkv), reference.attention(qkv), atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(found["sdpa_flash"](qkv), found["sdpa"](qkv))


def test_a_peer_that_computes_something_else_is_none() -> None:
    qkv = torch.randn(1, 20, 3, 1, 64)
    peers = {"sdpa": attention_peers.sdpa, "half": lambda qkv: attention_peers.sdpa(qkv) / 2}
    agreeing, wrong = attention._agreeing(peers, qkv)
    assert list(agreeing) == ["sdpa"]
    assert wrong["half"].startswith("its result is another: relative error 0.5")


def test_goals_are_for_bfloat16_and_their_numbers_of_tokens() -> None:
    row = {
        "dtype": "bfloat16",
        "us": {"triton": {"median": 100.0}, "sdpa": {"median": 130.0}},
        "rates": {"triton": 379.0, "sdpa": 290.0},
        "absent": {"sdpa_cudnn": "no such kernel"},
    }
    assert attention.attention_figures(row, 1370) == [
        {"beside": None, "value": 379.0, "goal": 380.0, "met": False},
        {"beside": "sdpa", "value": 1.3, "goal": 1.25, "met": True},
        {"beside": "sdpa_cudnn", "value": None, "goal": 1.0, "met": None, "why": "no such kernel"},
    ]
    assert [one["goal"] for one in attention.attention_figures(row, 257)] == [None, 1.5, 1.3]
    half = row | {"dtype": "float16"}
    assert [one["goal"] for one in attention.attention_figures(half, 1370)] == [None, None]


def test_figures_are_printed_with_their_goals() -> None:
    row = {
        "workload": "S 518, B=8 N=1370 A=6",
        "dtype": "bfloat16",
        "unit": "TFLOP/s",
        "us": {"triton": {"median": 100.0}, "sdpa": {"median": 130.0}},
        "rates": {"triton": 379.0, "sdpa": 290.0},
        "absent": {"sdpa_cudnn": "no such kernel"},
        "clocks": {"clocks.sm": "1755 MHz"},
    }
    row["figures"] = attention.attention_figures(row, 1370)
    report = {"origin": origin_of_a_test(CPU), "rounds": 9, "rows": [row]}
    said = "\n".join(report_lines(report))
    assert "| 379 (>= 380: NOT MET) " in said
    assert "| 130.0 us, 1.30x (>= 1.25: met) " in said
    assert "| (>= 1: not tried) " in said
    assert "1755 MHz" in said
    assert "- sdpa_cudnn: no such kernel" in said
    assert said.endswith("goals: 1 of 3 met")


def test_rounds_need_a_spread() -> None:
    with pytest.raises(ValueError, match="rounds is 1; allowed: 2 and more"):
        timing.race({}, [], 1)
    assert timing.spread([3.0, 1.0, 2.0])["median"] == 2
    assert [timing.rotation(n_bytes) for n_bytes in (1, 2**25, 2**30)] == [64, 8, 4]


def tiny_rows(device: torch.device) -> list[dict[str, Any]]:
    workload = attention.Workload("tiny", 2, 37, 3)
    with torch.inference_mode():
        return [
            attention.time_workload(workload, torch.bfloat16, 2, device),
            *(
                fused_race.time_shape(one, one.gate_shapes[0], 2, device)
                for one in contests(torch.bfloat16, device)
            ),
        ]


def assert_complete(rows: list[dict[str, Any]]) -> None:
    first, *others = rows
    assert first["us"].keys() >= {"triton", "sdpa"}
    assert len(others) == 5
    assert all(row["us"].keys() == {"triton", "eager", "compiled"} for row in others)
    assert all(rate > 0 for row in rows for rate in row["rates"].values())
    report = {"origin": origin_of_a_test(CPU), "rounds": 2, "rows": rows}
    assert len([line for line in report_lines(report) if line.startswith("| ")]) == 8


@pytest.mark.needs_gpu
def test_a_race_is_timed_on_a_gpu() -> None:
    assert_complete(tiny_rows(torch.device("cuda", 0)))


def test_everything_but_the_graphs_runs_without_a_gpu(monkeypatch) -> None:
    def record(run: Callable[[Any], object], inputs: list[Any]) -> int:
        run(inputs[0])
        return len(inputs)

    monkeypatch.setattr(timing, "capture", record)
    monkeypatch.setattr(timing, "replay_us", lambda n_inputs: 3.0 * n_inputs)
    monkeypatch.setattr(timing, "_clocks_under", lambda graph: None)
    monkeypatch.setattr(torch, "compile", lambda function, **_: function)
    rows = tiny_rows(CPU)
    assert_complete(rows)
    assert all(us == {"median": 3, "p10": 3, "p90": 3} for us in rows[0]["us"].values())
    assert [one["value"] for one in rows[1]["figures"][1:]] == [1, 1]


def test_one_that_cannot_run_is_absent(monkeypatch) -> None:
    def record(run: Callable[[Any], object], inputs: list[Any]) -> float:
        run(inputs[0])
        return 1.0

    def refuse(one: Any) -> None:
        raise RuntimeError("No available kernel.\nAborting")

    monkeypatch.setattr(timing, "capture", record)
    monkeypatch.setattr(timing, "replay_us", lambda graph: graph)
    monkeypatch.setattr(timing, "_clocks_under", lambda graph: None)
    found = timing.race({"good": lambda one: None, "bad": refuse}, [0, 1], 3)
    assert found.times_us == {"good": [0.5] * 3}
    assert found.absent == {"bad": "RuntimeError: No available kernel."}
