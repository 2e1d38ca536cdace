"""One replay as a user starts it, whose parts are killed; started again where it was the driver."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from benchmarks.prove.victims import DRIVER, processes
from operators.errors import DinostreamError
from pipeline.sinks.uri import open_reader

ROOT = Path(__file__).parents[2]
WITHIN_S = 300.0
LOOK_S = 0.05
COMMAND = (
    *(sys.executable, "-m", "pipeline", "replay", "--all", "--weights=random"),
    *("--model=dinov2_vitti14", "--short-side=56", "--threads=1"),
    *("--operator=depth", "--operator=action", "--operator=embedding"),
)


@dataclass(frozen=True, slots=True)
class Standing:
    """Frames that are committed, and the newest epoch that has committed any."""

    frames: int = 0
    epoch: int = 0


class Job:
    """Attributes:
    sink: its address.
    log: what all its drivers have said.
    """

    def __init__(self, footage: Path, sink: str, runtime: str, log: Path) -> None:
        self.sink, self.log = sink, log
        self._command = [*COMMAND, str(footage), "--sink", sink, "--runtime", runtime]
        self._last = Standing()  # that could be seen
        self._at_kill = Standing()
        self._least_epoch = 0
        self._start()

    def _start(self) -> None:
        """A driver, in a session of its own, as under a service manager."""
        with self.log.open("a") as log:
            self._driver = subprocess.Popen(
                self._command,
                cwd=ROOT,
                stdout=log,
                stderr=log,
                start_new_session=True,
                env=os.environ | {"RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0"},
            )

    def reach(self, frames: int) -> None:
        """Wait until so many frames are committed, some since the last kill, and by this driver:
        what its predecessor left behind may go on for a while.

        Raises:
            TimeoutError: they are not in time.
            RuntimeError: the job ended first.
        """
        least = max(frames, self._at_kill.frames + 1)

        def reached() -> bool:
            now = self._look()
            return now.frames >= least and now.epoch >= self._least_epoch

        self._wait_for(reached, f"{least} frames")

    def kill(self, victim: str) -> None:
        """Kill a part of it by SIGKILL, as soon as there is one."""
        self.note()
        self._wait_for(lambda: self._killed(victim), f"a {victim}")
        if victim == DRIVER:
            self._driver.wait()
            self._least_epoch = self._look().epoch + 1
            self._start()

    def _killed(self, victim: str) -> bool:
        """Whether one was there, and is dead now."""
        for pid in processes(victim, self._driver.pid):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
                return True
        return False

    def note(self) -> None:
        """Somebody is killed now."""
        self._at_kill = self._look()

    def finish(self) -> int:
        """Wait for its end; the exit code."""
        return self._driver.wait(WITHIN_S)

    def close(self) -> None:
        """End it, whatever it does."""
        if self._driver.poll() is None:
            self._driver.terminate()
            self._driver.wait()

    def _look(self) -> Standing:
        """How far it is, as far as anybody can tell."""
        with suppress(DinostreamError), closing(open_reader(self.sink)) as reader:
            found = list(reader.progress())  # not where it is not made yet, or its broker is away
            epoch = max((one.epoch for one in found), default=0)
            self._last = Standing(sum(one.frames for one in found), epoch)
        return self._last

    def _wait_for(self, fact: Callable[[], object], what: str) -> None:
        deadline_s = time.monotonic() + WITHIN_S
        while not fact():
            if self._driver.poll() is not None:
                raise RuntimeError(f"the job ended before {what}; see {self.log}")
            if time.monotonic() > deadline_s:
                raise TimeoutError(f"not within {WITHIN_S:g} s: {what}; see {self.log}")
            time.sleep(LOOK_S)
