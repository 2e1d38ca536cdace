"""A recorder's folder through the whole job: killed, gone on with, and grown meanwhile."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from pipeline.media.encode import write_clip

FILES, FRAMES, FPS = 9, 20, 10
ARGUMENTS = (
    *("--layout", "cam-{stream}/{time:%Y-%m-%d_%H-%M-%S}.mp4", "--timezone", "Europe/Berlin"),
    *("--runtime", "inline", "--weights", "random", "--model", "dinov2_vitti14", "--fps", "5"),
    *("--short-side", "28", "--operator", "embedding", "--operator", "action"),
    *("--batch-size", "4", "--backend", "torch"),
)


@pytest.fixture(scope="module")
def footage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of files of two seconds, two of which are missing."""
    folder = tmp_path_factory.mktemp("footage")
    (folder / "cam-gate").mkdir()
    for number in [*range(5), *range(7, FILES + 2)]:
        path = folder / "cam-gate" / f"2026-11-30_12-00-{2 * number:02}.mp4"
        pixels = np.random.default_rng(number).integers(0, 255, (FRAMES, 48, 64, 3), np.uint8)
        write_clip(path, pixels, FPS, keyframe_every=10)
        os.utime(path, (1_700_000_000, 1_700_000_000))
    return folder


def records(database: Path) -> dict[str, bytes]:
    """Id -> payload of all that operators said."""
    with closing(sqlite3.connect(database)) as sink:
        rows = sink.execute("SELECT id, value FROM records WHERE topic != 'events'").fetchall()
    ids = dict(rows)
    assert len(ids) == len(rows)
    return ids


@pytest.mark.slow
def test_a_killed_replay_goes_on_in_the_chain_and_so_it_does_when_it_has_grown(
    footage: Path, tmp_path: Path, dinostream, environment
) -> None:
    whole, parts = tmp_path / "whole.db", tmp_path / "parts.db"
    assert dinostream("replay", footage, *ARGUMENTS, "--sink", f"sqlite:{whole}").returncode == 0
    newest = max((footage / "cam-gate").iterdir())
    newest.rename(held := tmp_path / newest.name)
    command = [sys.executable, "-m", "pipeline", "replay", str(footage), *ARGUMENTS]
    with subprocess.Popen([*command, "--sink", f"sqlite:{parts}"], env=environment) as killed:
        while killed.poll() is None and written(parts) < 20:
            pass
        killed.send_signal(signal.SIGKILL)
    assert 20 <= len(records(parts)) < len(records(whole))
    done = dinostream("replay", footage, *ARGUMENTS, "--sink", f"sqlite:{parts}")
    assert done.returncode == 0, done.stderr
    held.rename(newest)
    done = dinostream("replay", footage, *ARGUMENTS, "--sink", f"sqlite:{parts}")
    assert done.returncode == 0, done.stderr
    assert records(parts) == records(whole)
    with closing(sqlite3.connect(parts)) as sink:
        events = sink.execute("SELECT value FROM records WHERE topic = 'events'").fetchall()
    assert sum(b'"kind":"gap"' in data for (data,) in events) == 1


def written(database: Path) -> int:
    try:
        with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as sink:
            return int(sink.execute("SELECT count(*) FROM records").fetchone()[0])
    except sqlite3.OperationalError:
        return 0


def test_a_layout_that_no_file_matches_is_said_in_one_line(footage: Path, dinostream) -> None:
    done = dinostream("replay", footage, "--layout", "{time:%s}.mp4", "--weights", "random")
    assert done.returncode == 2
    assert "no file is called as layout '{time:%s}.mp4' says, such as" in done.stderr
    assert "files that the layout does not match: 9 (cam-gate/" in done.stderr
