"""One run of one contender in a process of its own, watched from outside."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pipeline.bench.task import Task, Timing
from pipeline.bench.tree import ProcessTree
from pipeline.errors import RuntimeFailure

ROOT = Path(__file__).parents[2]
SAMPLE_S = 0.1
LOOK_EVERY = 3  # a look at all processes takes 5 ms of one core where 200 run
LAST_WORDS = 2000


@dataclass(frozen=True, slots=True)
class Trial:
    """What one run took.

    Attributes:
        seconds: first request to last commit.
        cpu_s: CPU time of all its processes meanwhile.
        frames: sampled.
        start_s: from the start of its process to its first record; None without records.
        peak_bytes: resident memory of all its processes, at most, start-up included.
        decoder_bytes: peak resident memory of its decode process.
        batches: passes through the backbone.
    """

    contender: str
    seconds: float
    cpu_s: float
    frames: int
    start_s: float | None
    peak_bytes: int
    decoder_bytes: int | None
    batches: int | None


def run_trial(task: Task, *, clock_us: Callable[[], int] = lambda: time.time_ns() // 1000) -> Trial:
    """Run a contender to its end.

    Raises:
        RuntimeFailure: it failed; its last words say why.
    """
    task.folder.mkdir(parents=True, exist_ok=True)
    with task.words.open("wb") as words:
        started_us = clock_us()
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "pipeline.bench.child"],
            stdin=subprocess.PIPE,
            stdout=words,
            stderr=words,
            env=environment(),
        )
        tree = ProcessTree(process.pid, look_every=LOOK_EVERY)
        try:
            assert process.stdin
            process.stdin.write(task.to_json().encode() + b"\n")
            process.stdin.close()
            _watch(process, tree, clock_us)
        finally:
            process.kill()  # nothing where it has ended
            process.wait()
    if process.returncode or not task.answer.exists():
        said = task.words.read_text(errors="replace")[-LAST_WORDS:]
        raise RuntimeFailure(f"contender {task.contender} ended with {process.returncode}:\n{said}")
    return _trial(task.contender, Timing.from_json(task.answer.read_text()), tree, started_us)


def _watch(
    process: subprocess.Popen[bytes], tree: ProcessTree, clock_us: Callable[[], int]
) -> None:
    """Sample until it has ended, and once more: the dead stay in /proc until waited for."""
    exited = os.WEXITED | os.WNOHANG | os.WNOWAIT
    while os.waitid(os.P_PID, process.pid, exited) is None:
        tree.sample(clock_us())
        time.sleep(SAMPLE_S)
    tree.sample(clock_us())


def _trial(contender: str, timing: Timing, tree: ProcessTree, started_us: int) -> Trial:
    first_us = timing.first_us
    return Trial(
        contender=contender,
        seconds=timing.seconds,
        cpu_s=tree.cpu_s(timing.began_us, timing.ended_us),
        frames=timing.frames,
        start_s=None if first_us is None else (first_us - started_us) / 1e6,
        peak_bytes=tree.peak_bytes,
        decoder_bytes=timing.decoder_bytes,
        batches=timing.batches,
    )


def environment() -> dict[str, str]:
    """Of a process of ours, which finds our code as this one does."""
    paths = [str(ROOT), os.environ.get("PYTHONPATH", "")]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}
