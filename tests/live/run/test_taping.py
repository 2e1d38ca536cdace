"""A live run that is taped, and its replay: the same records byte for byte, and what is not, told."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
RUN = ("--weights", "random", "--model", "dinov2_vitti14", "--short-side", "56")


@pytest.fixture
def dinostream(tmp_path):
    """Runs the command and gives its exit code and what it says."""

    def run(*arguments):
        command = [sys.executable, "-m", "pipeline", *map(str, arguments)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout, done.stderr

    return run


def verified(dinostream, tape, database):
    code, said, told = dinostream(
        "replay", tape, *RUN, "--runtime", "inline", "--verify", f"sqlite:{database}", "--json"
    )
    assert said, told
    return code, json.loads(said)


def test_a_replay_has_the_records_of_the_run(habits, live_run, dinostream, tmp_path):
    """Lost packets and a clock that steps; what the stop cut off is left out again."""
    url = habits("--gop", "20", "--len", "4", "--seq-loss", "97", "--rtpstep", "4:3600")
    stream = {"url": url, "record": {"folder": str(tmp_path / "tapes")}}
    run = live_run({"streams": {"gate": stream}, "stall_s": 6.0})
    run.until(lambda: run.count("embedding", "gate") > 40)
    run.signal(signal.SIGTERM)
    assert run.exit_code() == 0
    code, verdict = verified(dinostream, tmp_path / "tapes" / "gate", run.database)
    print(verdict)
    assert code == 0
    assert verdict["equal"]["embedding"] == run.count("embedding", "gate")
