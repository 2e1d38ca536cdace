"""`dinostream bench kernels`, which is `python -m kernels.bench` for those who have click."""

import json

import pytest
import torch

from kernels.bench import benchmark
from pipeline import cli


@pytest.mark.skipif(torch.cuda.is_available(), reason="shows a machine without a GPU")
def test_it_reports_and_keeps_the_same(tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.setattr(benchmark, "_COMPILED", {"attention": lambda arch: []})
    out = tmp_path / "new" / "kernels.json"
    assert cli.main(["bench", "kernels", "--only", "attention", "--json", "--out", str(out)]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said == json.loads(out.read_text())
    assert said["parts"] == ["attention"]
    assert said["said"].startswith("torch sees no CUDA device here: nothing was timed.")


def test_a_red_gate_ends_with_1(monkeypatch, capsys) -> None:
    def broken(device: torch.device, head_dim: int) -> None:
        raise RuntimeError("no device after all")

    monkeypatch.setattr(benchmark, "has_gpu", lambda: True)
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 0)
    monkeypatch.setattr(benchmark, "origin", origin_without_a_gpu)
    monkeypatch.setattr(benchmark, "attention_path", broken)
    assert cli.main(["bench", "kernels"]) == 1
    said = capsys.readouterr().out
    assert "gate RED: 1 of 1 checks failed, so no figures" in said
    assert "no device after all" in said


genuine_origin = benchmark.origin


def origin_without_a_gpu(device: torch.device) -> dict[str, object]:
    return genuine_origin(None)


@pytest.mark.parametrize("words", [["--rounds", "1"], ["--only", "swiglu"]])
def test_bad_usage_is_refused(words: list[str], capsys) -> None:
    assert cli.main(["bench", "kernels", *words]) == 2
    assert capsys.readouterr().out == ""
