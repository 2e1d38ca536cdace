"""The folder of a Ray of our own: short, private, gone at the end; what a killed job left goes too,
and nobody else's does."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.errors import RuntimeFailure
from pipeline.runtime import ray_session
from pipeline.runtime.ray_session import PREFIX, keep_token_private, session_folder

ROOT = Path(__file__).parents[3]
HOLD = """
import time
from pipeline.runtime import ray_session
ray_session.SOCKET_BYTES = 1000
with ray_session.session_folder() as folder:
    print(folder, flush=True)
    time.sleep(600)
"""


@pytest.fixture
def base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where sessions are, though a test's own folder has a long path."""
    monkeypatch.setenv("RAY_TMPDIR", str(tmp_path))
    monkeypatch.setattr(ray_session, "SOCKET_BYTES", 1000)
    return tmp_path


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_a_session_is_private_and_goes(base: Path) -> None:
    with session_folder() as folder:
        assert (folder.parent, mode(folder)) == (base, 0o700)
        (folder / "session_latest").mkdir()
    assert not folder.exists()


def test_a_failed_job_leaves_the_logs_to_the_next_start(base: Path, caplog) -> None:
    caplog.set_level(logging.INFO, "pipeline")
    with pytest.raises(RuntimeFailure), session_folder() as failed:
        raise RuntimeFailure("an actor failed")
    assert str(failed) in caplog.text
    assert failed.exists()
    with session_folder():
        assert not failed.exists()


@pytest.mark.usefixtures("base")
def test_a_killed_job_is_cleared_up_after_and_a_living_one_is_not() -> None:
    killed = subprocess.Popen(
        [sys.executable, "-c", HOLD], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert killed.stdout
    left = Path(killed.stdout.readline().strip())
    with session_folder() as mine:
        assert left.exists(), "its job lives"
        killed.kill()
        killed.communicate()
        with session_folder():
            assert not left.exists()
            assert mine.exists()


def test_other_users_and_other_folders_are_left_alone(base: Path, monkeypatch) -> None:
    others = base / f"{PREFIX}12345678"
    others.mkdir()
    (base / "dinosaur-87654321").mkdir()
    (base / f"{PREFIX}abcdefgh").symlink_to(base / "dinosaur-87654321")
    monkeypatch.setattr(os, "getuid", lambda: others.stat().st_uid + 1)
    with session_folder():
        pass
    assert len(list(base.iterdir())) == 3


def test_a_long_path_is_passed_over(tmp_path: Path, monkeypatch, caplog) -> None:
    caplog.set_level(logging.INFO, "pipeline")
    long = tmp_path / ("x" * 60)
    long.mkdir()
    monkeypatch.setenv("RAY_TMPDIR", "/nowhere")
    monkeypatch.setenv("TMPDIR", str(long))
    with session_folder() as folder:
        assert folder.parent == Path("/tmp")
    assert "too long" in caplog.text
    monkeypatch.setattr(ray_session, "SOCKET_BYTES", 20)
    with pytest.raises(RuntimeFailure, match="set RAY_TMPDIR"), session_folder():
        pass


def test_the_token_is_closed_to_others(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    keep_token_private()
    folder, token = tmp_path / ".ray", tmp_path / ".ray" / "auth_token"
    assert mode(folder) == 0o700
    folder.chmod(0o755)
    token.write_text("secret")
    token.chmod(0o644)
    keep_token_private()
    assert (mode(folder), mode(token)) == (0o700, 0o600)
