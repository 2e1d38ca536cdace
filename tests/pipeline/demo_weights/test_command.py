"""The command, small: it trains, goes on where it stopped, and writes weights that load."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from operators.backbones.architectures import architecture
from operators.weights.load import load_backbone
from pipeline.demo_weights import command

SMALL = ["--scenes", "world:1", "--clips", "4", "--held-out", "2", "--batch", "2"]
SIZES = ["--sizes", "28x28:2,42x28:2"]


@pytest.mark.slow
def test_it_trains_goes_on_and_writes_a_backbone(tmp_path, monkeypatch, capsys):
    words = ["--out", str(tmp_path), *SMALL, *SIZES, "--processes", "1", "--steps"]
    first = subprocess.run(
        [sys.executable, "-m", "pipeline.demo_weights", *words, "2"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert first.returncode == 0, first.stderr
    assert first.stderr.count("2 of 2 clips") == 2
    (look,) = map(json.loads, (tmp_path / "curve.jsonl").read_text().splitlines())
    assert look["step"] == 2
    assert {"depth", "classes", "action"} <= look.keys()
    assert look["held_out"].keys() == {"world 28x28", "world 42x28"}
    assert {"depth_abs_rel", "actions_right"} <= look["held_out"]["world 42x28"].keys()

    # Another process would only import torch once more: what goes on lies in files.
    monkeypatch.setattr(sys, "argv", ["demo_weights", *words, "4"])
    command.main()
    assert "goes on after step 2 of 4" in capsys.readouterr().out
    backbone = tmp_path / "dinov2_vitti14.safetensors"
    assert backbone.stat().st_size < 12e6
    loaded = load_backbone(architecture("dinov2_vitti14"), str(backbone))
    assert not loaded.untrained
