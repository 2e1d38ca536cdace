"""Whole jobs on a cluster whose parts fall silent or lose their node: complete, and the same."""

from __future__ import annotations

import re
import threading
from contextlib import closing
from pathlib import Path

import pytest

from operators.errors import UsageError
from pipeline import job as job_module
from pipeline.configuration.resolve import resolve
from pipeline.display import Report
from pipeline.job import run_job
from pipeline.runtime.ray_run import RayRun
from pipeline.runtime.ray_watch import Patience
from pipeline.sinks.uri import open_reader
from pipeline.stream.progress import Progress

OF_THE_RUN = ("ce_ingesttime", "ce_epoch", "ce_traceparent")
SCENES = [
    "synthetic:room?seed=3&seconds=24&fps=10&size=112x64",
    "synthetic:room?seed=5&seconds=2&fps=10&size=112x64",
]
IMPATIENT = Patience(start_s=120, silence_s=10, lease_s=60)  # 5 s are too few beside others


class Quiet:
    """A display that keeps the report."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def update(self, status: object) -> None:
        """Shows nothing."""

    def note(self, text: str) -> None:
        self.notes.append(text)

    def finish(self, report: Report) -> None:
        self.report = report

    def close(self) -> None:
        """Nothing moves."""


class Job(threading.Thread):
    """A replay in this process, beside a test that disturbs it."""

    def __init__(self, path: Path, **more: object) -> None:
        super().__init__()
        values = {
            "sources": SCENES,
            "weights": "random",
            "model": "dinov2_vitti14",
            "short_side": 56,
            "threads": 1,
            "sampling": {"all": True},
            "operators": {"action": None, "embedding": None},
            "sink": f"sqlite:{path}",
        }
        self.path = path
        self.display = Quiet()
        self._config = resolve(None, values | more)
        self._outcome: int | BaseException = 1

    def run(self) -> None:
        try:
            self._outcome = run_job(self._config, live=False, fresh=False, display=self.display)
        except BaseException as error:
            self._outcome = error

    def finish(self) -> Report:
        """Its report; it must have been a success."""
        self.join()
        if isinstance(self._outcome, BaseException):
            raise self._outcome
        assert self._outcome == 0, self.display.report
        return self.display.report

    def progress(self) -> list[Progress]:
        """Of the streams that have got somewhere."""
        assert self.is_alive(), self._outcome
        return self.committed()

    def committed(self) -> list[Progress]:
        try:
            with closing(open_reader(f"sqlite:{self.path}")) as reader:
                return [one for one in reader.progress() if one.position]
        except UsageError:  # not made yet
            return []

    def records(self) -> dict:
        with closing(open_reader(f"sqlite:{self.path}")) as reader:
            return {
                (one.message.topic, one.message.id): (
                    {k: v for k, v in one.message.headers.items() if k not in OF_THE_RUN},
                    one.message.value,
                )
                for one in reader.records()
            }


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory) -> dict:
    job = Job(tmp_path_factory.mktemp("inline") / "u.db", runtime="inline")
    job.start()
    job.finish()
    return job.records()


@pytest.mark.slow
def test_an_engine_and_a_sink_that_fall_silent(
    nodes, processes, undisturbed, tmp_path, monkeypatch
) -> None:
    monkeypatch.setattr("pipeline.runtime.ray_run.Patience", lambda: IMPATIENT)
    job = Job(tmp_path / "s.db", address=nodes.address)
    job.start()
    processes.wait_until(lambda: any(one.status == "ok" for one in job.progress()))
    (engine,) = nodes.actors("EngineActor")
    processes.stop(engine)  # with one clip done, which must count once
    newer = max(one.epoch for one in job.progress())
    processes.wait_until(lambda: any(one.epoch > newer for one in job.progress()))
    (sink,) = nodes.actors("SinkActor")
    processes.stop(sink)
    report = job.finish()
    assert list(report.streams.values()) == ["ok", "ok"]
    assert report.conflicting == 0
    assert job.records() == undisturbed


@pytest.mark.slow
def test_the_node_of_the_engine_dies(nodes, processes, undisturbed, tmp_path) -> None:
    pair = [nodes.add(num_cpus=1, num_gpus=1) for _ in range(2)]  # one GPU in name, for one engine
    job = Job(tmp_path / "n.db", address=nodes.address)
    job.start()
    processes.wait_until(job.progress)
    (doomed,) = [node for node in pair if nodes.actors("EngineActor", node)]
    nodes.kill(doomed)
    report = job.finish()
    assert list(report.streams.values()) == ["ok", "ok"]
    assert report.conflicting == 0
    assert job.records() == undisturbed
    pair.remove(doomed)
    nodes.kill(pair[0])


@pytest.mark.slow
def test_a_stop_while_no_node_has_room_for_the_engine(
    nodes, processes, tmp_path, monkeypatch
) -> None:
    runs: list[RayRun] = []
    open_run = job_module._open
    monkeypatch.setattr(job_module, "_open", lambda *args: runs.append(open_run(*args)) or runs[-1])
    node = nodes.add(num_cpus=1, num_gpus=1)
    job = Job(tmp_path / "p.db", address=nodes.address)
    job.start()
    processes.wait_until(job.progress)
    (run,) = runs
    processes.wait_until(lambda: run._workers[0].up)
    nodes.kill(node)
    processes.wait_until(lambda: not run._workers[0].up)
    run.stop()
    job.join(timeout=60)
    assert job.display.report.streams == {one.stream: "stopped" for one in run._specs}
    why = r"an engine was (not at work when the run was stopped|lost while the run ended)"
    assert any(re.match(why, note) for note in job.display.notes), job.display.notes
    assert all(one.running for one in job.committed()), "the next run goes on with them"
