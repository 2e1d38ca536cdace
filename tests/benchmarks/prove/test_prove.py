"""The proof as CI runs it, short."""

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.prove.victims import DRIVER, processes, victims

ROOT = Path(__file__).parents[3]


def test_parts_are_found_by_what_they_are(tmp_path: Path) -> None:
    child = f"import time; {'pipeline.decode.child'!r}; print(flush=True); time.sleep(600)"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    with subprocess.Popen([sys.executable, "-c", parent], stdout=subprocess.PIPE) as driver:
        driver.stdout.readline()
        assert processes(DRIVER, driver.pid) == [driver.pid]
        (decoder,) = processes("decode process", driver.pid)
        assert decoder != driver.pid
        assert processes("engine actor", driver.pid) == []
        subprocess.run(["kill", "-9", str(decoder)], check=True)
    assert processes("decode process", driver.pid) == []


def test_a_job_has_the_parts_of_its_runtime_and_sink() -> None:
    assert victims("sqlite", "inline") == ("driver", "decode process")
    assert victims("kafka", "ray")[1:] == (
        *("decode process", "decode actor", "engine actor", "sink actor", "broker"),
    )


@pytest.mark.needs_kafka
@pytest.mark.parametrize(
    ("sink", "runtime", "times"),
    [("sqlite", "inline", 3), ("kafka", "ray", 1)],
)
def test_what_killed_parts_have_written_is_what_undisturbed_ones_would(
    sink: str, runtime: str, times: int, tmp_path: Path
) -> None:
    """With a broker each part once: a driver, or a broker, takes 10 to 15 s to be back."""
    command = [sys.executable, "-m", "benchmarks.prove", "--times", str(times), "--sink", sink]
    command += ["--runtime", runtime, "--folder", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr[-3000:]
