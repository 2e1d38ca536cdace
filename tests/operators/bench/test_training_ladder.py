"""The rungs compute the same, and what is said of them is measured."""

from __future__ import annotations

import json
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import torch

from kernels.reference import attention
from operators.backbones.architectures import ARCHITECTURES, Architecture
from operators.bench import training_ladder
from operators.bench.training_ladder import LadderRed, ladder_lines, main, measure, resident_bytes
from operators.bench.training_pass import RUNGS, materialised_attention
from operators.bench.training_student import Climb, Student

SMALL = Architecture("small", width=128, depth=2, heads=2)
CLIMB = Climb("small", pictures=5, small=2, large_px=56, small_px=28, rounds=1)


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(ARCHITECTURES, "small", SMALL)
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


def test_every_rung_has_the_same_gradient() -> None:
    student = Student(CLIMB)
    truth, *others = (student.gradient(rung, drop=0) for rung in RUNGS)
    for one in others:
        torch.testing.assert_close(one, truth, atol=1e-7, rtol=1e-4)
    assert truth.abs().max() > 0


def test_masked_and_skipped_branches_are_the_same() -> None:
    student = Student(CLIMB)
    masked, skipping = (student.gradient(rung, drop=0.4) for rung in RUNGS[2:])
    torch.testing.assert_close(skipping, masked, atol=1e-7, rtol=1e-4)
    assert not torch.allclose(skipping, student.gradient(RUNGS[3], drop=0), rtol=1e-2)


def test_each_trick_keeps_less_for_the_gradient() -> None:
    student = Student(replace(CLIMB, pictures=3, large_px=224))
    kept = {rung.name: student.kept_bytes(rung) for rung in RUNGS}
    # The weights of attention, float32, in both blocks and heads; results and sums in their place.
    maps = 2 * 2 * 4 * 6 * (257**2 + 5**2)
    results = 2 * 4 * (128 + 2) * 6 * (257 + 5)
    assert kept["a"] - kept["b"] == pytest.approx(maps - results, rel=0.1)
    assert kept["c"] == pytest.approx(kept["b"], rel=0.01)
    assert kept["d"] < 0.7 * kept["c"]


def test_a_rung_with_another_gradient_leaves_no_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training_ladder, "_distance", lambda found, truth: float("nan"))
    with pytest.raises(LadderRed, match=r"gradients differ by .*; allowed is 0\.001"):
        measure(CLIMB, lambda text: None)


def test_materialised_attention_is_attention() -> None:
    qkv = torch.randn(2, 17, 3, 2, 64, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(materialised_attention(qkv), attention(qkv), atol=1e-6, rtol=1e-5)


@pytest.mark.slow
def test_the_command_measures_and_keeps(tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.setattr(training_ladder, "Climb", partial(Climb, large_px=56, small_px=28))
    monkeypatch.setattr(training_ladder, "peak_bytes", lambda climb, name: 1)  # of four processes
    out = tmp_path / "ladder.json"
    words = ["--model", "small", "--pictures", "1", "--rounds", "2", "--small", "1"]
    monkeypatch.setattr("sys.argv", ["ladder", *words, "--out", str(out)])
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert main() == 0
    report = json.loads(out.read_text())
    assert capsys.readouterr().out.splitlines() == ladder_lines(report)
    assert [rung["name"] for rung in report["rungs"]] == ["a", "b", "c", "d"]
    assert all(len(rung["seconds"]) == 2 for rung in report["rungs"])
    assert report["threads"] == 1


def looked_at() -> None:
    """In a process of its own, as `peak_bytes` has it: one that has been higher before, and whose
    other threads give memory back, finds the pass below its peak."""
    ARCHITECTURES["small"] = SMALL
    taken = training_ladder._resident_bytes(CLIMB, "a")
    assert taken > 0
    assert resident_bytes("VmHWM") > taken
    now = resident_bytes("VmRSS")  # first: it may rise between the two
    assert resident_bytes("VmHWM") >= now


def test_a_process_knows_what_a_pass_takes() -> None:
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as alone:
        alone.submit(looked_at).result()


@pytest.mark.parametrize("words", [["--pictures", "0"], ["--drop", "1"], ["--rounds", "0"]])
def test_bad_usage_is_refused(words: list[str], monkeypatch, capsys) -> None:
    monkeypatch.setattr("sys.argv", ["ladder", *words, "--out", "x.json"])
    with pytest.raises(SystemExit):
        main()
    assert "allowed" in capsys.readouterr().err
