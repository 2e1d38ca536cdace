"""This machine as one of a trial's: what is started here logs into a folder and ends with it."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path


class Here:
    """What `cluster_trial.machine.Machine` is, without namespaces, for parts on loopback."""

    address = "127.0.0.1"

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._started: list[subprocess.Popen[bytes]] = []

    def start(
        self, command: Sequence[str | Path], log: str, environment: Mapping[str, str]
    ) -> subprocess.Popen[bytes]:
        """Run a command, with a pipe at its standard input; what it says is added to a file."""
        with self.log(log).open("ab") as file:
            started = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=file, stderr=file, env=dict(environment)
            )
        self._started.append(started)
        return started

    def log(self, name: str) -> Path:
        return self._folder / name

    def end(self) -> None:
        """Kill what still runs."""
        for process in self._started:
            process.kill()
            process.wait()
            assert process.stdin
            process.stdin.close()
