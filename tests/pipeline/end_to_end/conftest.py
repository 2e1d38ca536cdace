"""Whole jobs as a user starts them: small rendered clips, the command, what lies in the sink."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.media.encode import write_clip
from pipeline.sinks.uri import open_reader
from pipeline.synthetic.scene import open_scene
from pipeline.synthetic.uri import parse_scene_uri

ROOT = Path(__file__).parents[3]
OF_THE_RUN = ("ce_ingesttime", "ce_epoch", "ce_traceparent")  # all that may differ between runs
# One thread: two that wait for each other on a busy machine are far slower than one.
SMALL = ["--weights", "random", "--model", "dinov2_vitti14", "--short-side", "56", "--threads", "1"]
DEADLINE_S = 240

Records = dict[tuple[str, str], tuple[dict[str, str], bytes]]


def write_scene(path: Path, uri: str) -> Path:
    """A rendered scene as a real H.264 file."""
    scene = open_scene(parse_scene_uri(uri))
    frames = (scene.render(index).rgb for index in range(scene.frame_count))
    write_clip(path, frames, fps=scene.spec.fps)
    return path


def dinostream(*arguments: str | Path) -> list[str]:
    return [sys.executable, "-m", "pipeline", *map(str, arguments)]


class Jobs:
    """Runs `dinostream replay`."""

    root = ROOT

    def start(self, *arguments: str | Path) -> subprocess.Popen[str]:
        """In a session of its own, as under a service manager."""
        return subprocess.Popen(
            dinostream("replay", *arguments, *SMALL, "--json"),
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            env=os.environ | {"RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0"},
        )

    def finish(self, job: subprocess.Popen[str], *, code: int = 0) -> dict:
        """Its report; it must end by itself with `code`."""
        out, err = job.communicate(timeout=DEADLINE_S)
        assert job.returncode == code, err
        return json.loads(out) if out else {}

    def run(self, *arguments: str | Path, code: int = 0) -> dict:
        return self.finish(self.start(*arguments), code=code)


def records(sink: str) -> Records:
    """(topic, id) -> (headers without those of the run, payload)."""
    reader = open_reader(sink)
    try:
        return {
            (one.message.topic, one.message.id): (
                {k: v for k, v in one.message.headers.items() if k not in OF_THE_RUN},
                one.message.value,
            )
            for one in reader.records()
        }
    finally:
        reader.close()


def wait_until(condition: Callable[[], bool], job: subprocess.Popen[str]) -> None:
    """Look again and again, until a deadline or the job's early end."""
    deadline_s = time.monotonic() + DEADLINE_S
    while not condition():
        assert job.poll() is None, f"the job ended first:\n{job.communicate()}"
        assert time.monotonic() < deadline_s, "waited in vain"
        time.sleep(0.1)


def descendants(pid: int) -> dict[int, str]:
    """Process ids below one, with their command lines."""
    parents, titles = {}, {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text()
                titles[int(entry.name)] = (entry / "cmdline").read_text().replace("\0", " ")
            except OSError:
                continue
            parents[int(entry.name)] = int(stat.rpartition(")")[2].split()[1])
    below: dict[int, str] = {}
    for child in parents:
        line = child
        while line in parents and line != pid:
            line = parents[line]
        if line == pid and child != pid:
            below[child] = titles[child]
    return below


class Tools:
    records = staticmethod(records)
    wait_until = staticmethod(wait_until)
    descendants = staticmethod(descendants)
    write_scene = staticmethod(write_scene)
    dinostream = staticmethod(dinostream)


@pytest.fixture(scope="session")
def tools() -> type[Tools]:
    return Tools


@pytest.fixture(scope="session")
def jobs() -> Jobs:
    return Jobs()


@pytest.fixture(scope="session")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three clips of unequal length and two picture sizes."""
    folder = tmp_path_factory.mktemp("clips")
    write_scene(folder / "long.mp4", "synthetic:room?seed=3&seconds=9&fps=25&size=128x72")
    write_scene(folder / "short.mp4", "synthetic:room?seed=7&seconds=4&fps=30&size=128x72")
    write_scene(folder / "tall.mp4", "synthetic:room?seed=13&seconds=3&fps=20&size=72x128")
    return folder
