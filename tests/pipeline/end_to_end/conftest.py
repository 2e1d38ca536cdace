"""Whole jobs as a user starts them: small clips, the command, what lies in the sink."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from pipeline.audit.finding import Report
from pipeline.audit.reading import audited
from pipeline.configuration.config import Config
from pipeline.configuration.resolve import resolve
from pipeline.configuration.streams import stream_specs
from pipeline.engine.tally import Tally
from pipeline.runtime.inline import InlineRun
from pipeline.sinks.uri import open_reader

ROOT = Path(__file__).parents[3]
OF_THE_RUN = ("ce_ingesttime", "ce_epoch", "ce_traceparent")  # all that may differ between runs
# One thread: two that wait for each other on a busy machine are far slower than one.
SMALL = {"weights": "random", "model": "dinov2_vitti14", "short_side": 28, "threads": 1}
DEADLINE_S = 240

Records = dict[tuple[str, str], tuple[dict[str, str], bytes]]


class Jobs:
    """Runs `dinostream replay`."""

    def start(self, *arguments: str | Path) -> subprocess.Popen[str]:
        """In a session of its own, as under a service manager."""
        words = [f"--{name.replace('_', '-')}={value}" for name, value in SMALL.items()]
        return subprocess.Popen(
            [sys.executable, "-m", "pipeline", "replay", *map(str, arguments), *words, "--json"],
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


def run_inline(
    sources: list[Path],
    sink: str,
    *,
    overrides: Sequence[str] = (),
    file: Path | None = None,
    **more: object,
) -> tuple[Config, Tally]:
    """The same job in this process; `overrides` as of `--set`, `file` as of `--config`."""
    values = {"sources": [str(one) for one in sources], "sink": sink, "runtime": "inline"}
    config = resolve(file, SMALL | values | more, overrides)
    run = InlineRun(config, stream_specs(config, live=False), fresh=False, tell=lambda _: None)
    return config, run.run()


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


def audit(sink: str) -> list[Report]:
    """Of all its streams."""
    reader = open_reader(sink)
    try:
        return list(audited(reader))
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
    audit = staticmethod(audit)
    wait_until = staticmethod(wait_until)
    descendants = staticmethod(descendants)
    run_inline = staticmethod(run_inline)


@pytest.fixture(scope="session")
def tools() -> type[Tools]:
    return Tools


@pytest.fixture(scope="session")
def jobs() -> Jobs:
    return Jobs()


@pytest.fixture(scope="module")
def go(tmp_path_factory) -> Iterator[Path]:
    """Lets jobs go on once it is there; they find the operator that waits for it."""
    with pytest.MonkeyPatch.context() as patch:
        file = tmp_path_factory.mktemp("brake") / "go"
        patch.syspath_prepend(Path(__file__).parent)
        patch.setenv("PYTHONPATH", str(Path(__file__).parent))
        patch.setenv("DINOSTREAM_TEST_BRAKE", str(file))
        yield file


@pytest.fixture
def braked(go: Path) -> Path:
    """It is not there yet."""
    go.unlink(missing_ok=True)
    return go
