"""A job that is killed in mid-clip goes on with the next run, nothing twice and nothing lost; what
is killed of a job that lives is in the tests of the runtimes."""

from __future__ import annotations

import signal
import subprocess
import time
from pathlib import Path

import pytest

from operators.errors import DinostreamError

LONG = 280  # frames: more than one manifest's
FRAMES = LONG + 120
OPERATORS = ["depth", "action", "frames", "brake:Brake"]
RATES = ["operators.frames.fps=7"]  # of 10: where a job goes on, the rule goes on
JOB = {"sampling": {"all": True}, "operators": OPERATORS, "overrides": RATES}


@pytest.fixture(scope="module")
def footage(small_clip, tmp_path_factory) -> Path:
    """Two clips that last long enough to be hit."""
    folder = tmp_path_factory.mktemp("footage")
    small_clip(folder / "a.mp4", "bars", number=3, frames=LONG)
    small_clip(folder / "b.mp4", "rows", number=5, frames=120)
    return folder


@pytest.fixture(scope="module")
def undisturbed(tools, footage: Path, go: Path, tmp_path_factory) -> dict:
    go.touch()
    sink = f"sqlite:{tmp_path_factory.mktemp('undisturbed')}/u.db"
    tools.run_inline([footage], sink, **JOB)
    return tools.records(sink)


@pytest.fixture
def arguments(footage: Path, braked: Path) -> list[str]:
    """Of the job, but for its runtime and its sink."""
    operators = [word for name in OPERATORS for word in ("--operator", name)]
    return [
        str(footage),
        "--all",
        *operators,
        *(word for rate in RATES for word in ("--set", rate)),
    ]


def begin(jobs, tools, arguments, sink: str, *, committed: int = 0) -> subprocess.Popen[str]:
    """A job that has committed more than that and has most of it to do."""
    job = jobs.start(*arguments, "--sink", sink)
    tools.wait_until(lambda: depth_records(tools, sink) > committed, job)
    return job


def depth_records(tools, sink: str) -> int:
    try:
        return sum(topic == "depth" for topic, _ in tools.records(sink))
    except DinostreamError:  # not made yet
        return 0


@pytest.mark.slow
def test_a_job_that_is_killed_and_then_stopped_goes_on_each_time(
    jobs, tools, footage, undisturbed, arguments, braked, tmp_path
) -> None:
    sink = f"sqlite:{tmp_path}/k.db"
    arguments += ["--runtime", "inline"]
    job = begin(jobs, tools, arguments, sink)
    kill(tools, job)
    killed = depth_records(tools, sink)
    assert 0 < killed < FRAMES
    assert all(report.complete and not report.ended for report in tools.audit(sink))
    job = begin(jobs, tools, arguments, sink, committed=killed)
    job.send_signal(signal.SIGINT)
    assert any("again to quit now" in line for line in job.stderr)
    braked.touch()
    report = jobs.finish(job, code=128 + signal.SIGINT)
    assert "stopped" in report["streams"].values()
    drained = depth_records(tools, sink)
    assert report["frames"] == drained - killed, "what was committed is not done again"
    _, rest = tools.run_inline([footage], sink, **JOB)
    assert rest.frames == FRAMES - drained
    assert rest.receipt.conflicting == 0
    assert tools.records(sink) == undisturbed
    assert_whole(tools, sink)


@pytest.mark.slow
@pytest.mark.needs_kafka
def test_a_killed_driver_of_ray_leaves_nothing_behind_and_is_resumed(
    jobs, tools, undisturbed, arguments, braked, kafka_uri, tmp_path, monkeypatch
) -> None:
    """With two engines instead of one, and where temporary files have a path too long for Ray's
    sockets."""
    (long := tmp_path / ("long" * 25)).mkdir()
    monkeypatch.setenv("TMPDIR", str(long))
    arguments += ["--runtime", "ray"]
    kill(tools, begin(jobs, tools, arguments, kafka_uri))
    committed = depth_records(tools, kafka_uri)
    assert 0 < committed < FRAMES
    braked.touch()
    report = jobs.run(*arguments, "--engines", "2", "--sink", kafka_uri)
    assert report["frames"] == FRAMES - committed, "what was committed is not done again"
    assert report["conflicting"] == 0
    assert tools.records(kafka_uri) == undisturbed
    assert_whole(tools, kafka_uri)


@pytest.mark.slow
def test_ctrl_c_twice_quits_at_once(jobs, tools, arguments, tmp_path) -> None:
    job = begin(jobs, tools, [*arguments, "--runtime", "inline"], f"sqlite:{tmp_path}/q.db")
    below = tools.descendants(job.pid)
    job.send_signal(signal.SIGINT)
    assert any("again to quit now" in line for line in job.stderr)
    job.send_signal(signal.SIGINT)
    job.communicate(timeout=30)
    assert job.returncode == -signal.SIGINT
    left_over(tools, below)


def assert_whole(tools, sink: str) -> None:
    """Whoever looks from outside finds all that was committed, told by two manifests and one."""
    reports = {report.stream: report for report in tools.audit(sink)}
    assert {name: one.manifests for name, one in reports.items()} == {"a.mp4": 2, "b.mp4": 1}
    assert all(one.ended and one.findings == [] for one in reports.values())


def kill(tools, job: subprocess.Popen[str]) -> None:
    below = tools.descendants(job.pid)
    job.kill()
    job.communicate()
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
