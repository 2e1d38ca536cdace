"""kill -9 of anything in mid-clip: the job ends complete, nothing twice and nothing lost."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from operators.errors import DinostreamError
from pipeline.engine.chunk_queue import QUEUED_CHUNKS

CHUNK_FRAMES = 16


@pytest.fixture(scope="module")
def footage(tools, tmp_path_factory) -> Path:
    """Two clips that last long enough to be hit."""
    folder = tmp_path_factory.mktemp("footage")
    tools.write_scene(folder / "a.mp4", "synthetic:room?seed=3&seconds=26&fps=10&size=112x64")
    tools.write_scene(folder / "b.mp4", "synthetic:room?seed=5&seconds=14&fps=10&size=112x64")
    return folder


@pytest.fixture(scope="module")
def undisturbed(jobs, tools, footage: Path, tmp_path_factory) -> dict:
    sink = f"sqlite:{tmp_path_factory.mktemp('undisturbed')}/u.db"
    jobs.run(footage, "--all", "--runtime", "inline", "--sink", sink)
    return tools.records(sink)


@pytest.fixture
def sink(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "kafka":
        return request.getfixturevalue("kafka_uri")
    return f"sqlite:{tmp_path}/k.db"


def begin(jobs, tools, footage: Path, sink: str, runtime: str) -> subprocess.Popen[str]:
    """A job that has committed something and has most of it to do."""
    job = jobs.start(footage, "--all", "--runtime", runtime, "--sink", sink)
    tools.wait_until(lambda: depth_records(tools, sink) > 0, job)
    return job


def depth_records(tools, sink: str) -> int:
    try:
        return sum(topic == "depth" for topic, _ in tools.records(sink))
    except DinostreamError:  # not made yet
        return 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("actor", "sink"),
    [
        ("DecodeActor", "sqlite"),
        ("EngineActor", "sqlite"),
        pytest.param("SinkActor", "kafka", marks=pytest.mark.needs_kafka),
    ],
    indirect=["sink"],
)
def test_a_killed_actor_is_replaced(jobs, tools, footage, undisturbed, sink, actor) -> None:
    job = begin(jobs, tools, footage, sink, "ray")
    victims = [pid for pid, title in tools.descendants(job.pid).items() if f"ray::{actor}" in title]
    os.kill(victims[0], signal.SIGKILL)
    report = jobs.finish(job)
    assert set(report["streams"].values()) == {"ok"}
    assert report["conflicting"] == 0
    assert report["frames"] <= 400 + 2 * QUEUED_CHUNKS * CHUNK_FRAMES
    assert tools.records(sink) == undisturbed


@pytest.mark.slow
@pytest.mark.parametrize(
    ("runtime", "sink"),
    [("inline", "sqlite"), pytest.param("ray", "kafka", marks=pytest.mark.needs_kafka)],
    indirect=["sink"],
)
def test_a_killed_driver_is_resumed(jobs, tools, footage, undisturbed, sink, runtime) -> None:
    job = begin(jobs, tools, footage, sink, runtime)
    below = tools.descendants(job.pid)
    job.kill()
    job.communicate()
    left_over(tools, below)
    committed = depth_records(tools, sink)
    assert 0 < committed < 400
    report = jobs.run(footage, "--all", "--runtime", runtime, "--sink", sink)
    assert report["frames"] == 400 - committed, "what was committed is not done again"
    assert report["conflicting"] == 0
    assert tools.records(sink) == undisturbed


@pytest.mark.slow
def test_ctrl_c_drains_and_the_next_run_goes_on(
    jobs, tools, footage, undisturbed, tmp_path
) -> None:
    sink = f"sqlite:{tmp_path}/c.db"
    job = begin(jobs, tools, footage, sink, "inline")
    job.send_signal(signal.SIGINT)
    report = jobs.finish(job, code=128 + signal.SIGINT)
    assert "stopped" in report["streams"].values()
    jobs.run(footage, "--all", "--runtime", "inline", "--sink", sink)
    assert tools.records(sink) == undisturbed


@pytest.mark.slow
def test_ctrl_c_twice_quits_at_once(jobs, tools, footage, tmp_path) -> None:
    job = begin(jobs, tools, footage, f"sqlite:{tmp_path}/q.db", "inline")
    below = tools.descendants(job.pid)
    job.send_signal(signal.SIGINT)
    assert job.stderr is not None
    assert any("again to quit now" in line for line in job.stderr)
    job.send_signal(signal.SIGINT)
    job.communicate(timeout=30)
    drained = 128 + signal.SIGINT
    assert job.returncode in (-signal.SIGINT, drained), "killed, unless it had drained by then"
    left_over(tools, below)


def left_over(tools, below: dict[int, str]) -> None:
    """Wait until none of these processes lives.

    Ray's own two agents say farewell to a head that is dead, which takes them a minute or more.
    """
    ours = [pid for pid, title in below.items() if "Agent" not in title]
    deadline_s = time.monotonic() + 30
    while any(Path(f"/proc/{pid}").exists() and not _zombie(pid) for pid in ours):
        assert time.monotonic() < deadline_s, "processes were left behind"
        time.sleep(0.05)


def _zombie(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True
