"""A training that was killed goes on, and ends as if nothing had been."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

CHILD = Path(__file__).with_name("training_child.py")
ROOT = CHILD.parents[3]


@pytest.fixture(scope="module")
def trained():
    """`trained(folder, killed_at)`: the exit code of a process that trains there."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, str(CHILD)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    ) as parent:

        def run(folder: Path, killed_at: int = 0) -> int:
            folder.mkdir(exist_ok=True)
            print(json.dumps([str(folder), killed_at]), file=parent.stdin, flush=True)
            return int(parent.stdout.readline())

        yield run


@pytest.mark.slow
def test_killed_twice_it_ends_with_the_same_weights(trained, tmp_path):
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    assert trained(whole) == 0
    assert trained(killed, 25) == -signal.SIGKILL
    assert [path.name for path in (killed / "cache").iterdir()] == ["one.pt"]
    assert trained(killed, 47) == -signal.SIGKILL
    assert trained(killed) == 0
    once, again = (json.loads((folder / "said.json").read_text()) for folder in (whole, killed))
    assert (once["first"], again["first"]) == (1, 41)
    assert once["losses"] == again["losses"]
    assert once["losses"][-1] < once["losses"][0] / 2
    weights = [(folder / "weights.safetensors").read_bytes() for folder in (whole, killed)]
    assert weights[0] == weights[1]
    assert not list((killed / "cache").iterdir())


@pytest.mark.slow
def test_half_a_checkpoint_is_none(trained, tmp_path):
    assert trained(tmp_path, 25) == -signal.SIGKILL
    checkpoint = tmp_path / "cache" / "one.pt"
    checkpoint.write_bytes(checkpoint.read_bytes()[:500])
    assert trained(tmp_path) == 0
    assert json.loads((tmp_path / "said.json").read_text())["first"] == 1
