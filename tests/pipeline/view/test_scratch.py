"""A folder that goes with whoever has it."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from pipeline.decode.process import ROOT
from pipeline.view.scratch import scratch

STAYS = """
from pipeline.view.scratch import scratch
with scratch() as folder:
    print(folder, flush=True)
    input()
"""


@pytest.fixture(autouse=True)
def own_place(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)


def test_it_is_ours_alone_and_gone_afterwards() -> None:
    with scratch() as folder:
        assert folder.stat().st_mode & 0o777 == 0o700
        (folder / "records.db").write_text("something")
        with scratch() as other:
            assert folder != other
        assert (folder / "records.db").exists(), "whoever comes later leaves it alone"
    assert not folder.exists()


def test_it_is_gone_after_a_failure_too() -> None:
    with pytest.raises(RuntimeError), scratch() as folder:
        raise RuntimeError
    assert not folder.exists()


def test_what_a_kill_has_left_is_removed_by_the_next(tmp_path) -> None:
    stranger = tmp_path / "dinostream-view-of-somebody"
    stranger.mkdir()
    command = [sys.executable, "-c", STAYS]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, env=environment) as process:
        left = Path(process.stdout.readline().decode().strip())
        with scratch():
            assert left.exists(), "its owner lives"
        process.kill()
        process.wait()
        with scratch():
            assert not left.exists()
    assert stranger.exists(), "without a lock it is none of ours, or just being made"
