"""A machine of a trial, killed, unplugged, frozen and switched off; it is real."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.cluster_trial.__main__ import ISOLATED

ROOT = Path(__file__).parents[3]
SCRIPT = Path(__file__).with_name("machines.py")


@pytest.fixture
def isolated():
    """What is put in front of a command to run it in namespaces of its own."""
    command = ["unshare", *ISOLATED]
    try:
        done = subprocess.run(
            [*command, "ip", "link", "add", "type", "bridge"], capture_output=True, text=True
        )
        missing = done.stderr.strip() if done.returncode else ""
    except OSError as error:
        missing = str(error)
    if missing:
        pytest.skip(f"no namespaces ({missing}); they need root, util-linux and iproute2")
    return command


def test_a_machine_is_killed_unplugged_frozen_and_switched_off(isolated, tmp_path):
    done = subprocess.run(
        [*isolated, sys.executable, SCRIPT, tmp_path],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    facts = json.loads(done.stdout)
    assert facts == dict.fromkeys(facts, True)
    assert len(facts) == 10
