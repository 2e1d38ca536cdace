"""The command line as a real process."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


@pytest.fixture
def environment(tmp_path):
    """Variables of a process that finds the checkout from anywhere and has a home of its own."""
    return {**os.environ, "PYTHONPATH": str(ROOT), "HOME": str(tmp_path), "OMP_NUM_THREADS": "1"}


@pytest.fixture
def dinostream(tmp_path, environment):
    """Runs `dinostream ARGUMENTS` in an empty folder; gives the finished process."""

    def run(*arguments):
        return subprocess.run(
            [sys.executable, "-m", "pipeline", *map(str, arguments)],
            capture_output=True,
            text=True,
            timeout=120,
            cwd=tmp_path,
            env=environment,
            check=False,
        )

    return run
