"""The command, small: it trains, goes on where it stopped, and writes weights that load."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from operators.backbones.architectures import architecture
from operators.weights.load import load_backbone

SMALL = ["--scene", "world", "--clips", "4", "--held-out", "2", "--batch", "2"]
SIZES = ["--sizes", "28x28:2,42x28:2"]


def pretrain(out, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pipeline.pretrain", "--out", str(out), *SMALL, *SIZES]
    return subprocess.run(
        [*command, "--processes", "1", *arguments], capture_output=True, text=True, check=False
    )


@pytest.mark.slow
def test_it_trains_goes_on_and_writes_a_backbone(tmp_path):
    first = pretrain(tmp_path, "--steps", "2")
    assert first.returncode == 0, first.stderr
    assert first.stderr.count("2 of 2 clips") == 2
    (look,) = map(json.loads, (tmp_path / "curve.jsonl").read_text().splitlines())
    assert look["step"] == 2
    assert {"depth", "classes", "action"} <= look.keys()
    assert look["held_out"].keys() == {"28x28", "42x28"}
    assert {"depth_abs_rel", "actions_right"} <= look["held_out"]["42x28"].keys()

    second = pretrain(tmp_path, "--steps", "4")
    assert "goes on after step 2 of 4" in second.stdout
    backbone = tmp_path / "dinov2_vitti14.safetensors"
    assert backbone.stat().st_size < 12e6
    loaded = load_backbone(architecture("dinov2_vitti14"), str(backbone))
    assert not loaded.untrained
