"""Commands in processes that need not import torch first: forks of one that has.

`python -m pipeline ...` spends three seconds of a core on `import torch`, and tests start some
hundred of them. These are processes like any other (a pid, a session, an environment and a folder
of their own, signals, an exit code), but for what `/proc` says of their command line and first
environment. Nothing of dinostream is imported before the fork.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

IMPORTED_BEFORE = ["torch", "av", "numpy", "PIL.Image", "pydantic", "click", "rich"]


class WarmCommand:
    """`python -m pipeline ARGUMENTS`, running; as much of `subprocess.Popen` as tests want.

    Args:
        arguments: of `dinostream`.
        cwd: the folder it stands in.
        environment: all of it.
        stdout, stderr: files that are written behind what they hold.
    """

    def __init__(
        self,
        arguments: Sequence[str],
        *,
        cwd: Path,
        environment: Mapping[str, str],
        stdout: Path,
        stderr: Path,
    ) -> None:
        for path in (stdout, stderr):
            path.touch()
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(IMPORTED_BEFORE)
        self._process = context.Process(
            target=_run,
            args=([*arguments], str(cwd), dict(environment), str(stdout), str(stderr)),
        )
        self._process.start()
        assert self._process.pid is not None
        self.pid = self._process.pid

    @property
    def returncode(self) -> int | None:
        """As subprocess has it: None while it runs, -9 of a process that was killed."""
        return self._process.exitcode

    def poll(self) -> int | None:
        return self.returncode

    def wait(self) -> int | None:
        self._process.join()
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.returncode is None:
            os.kill(self.pid, number)


def _run(
    arguments: list[str], cwd: str, environment: dict[str, str], stdout: str, stderr: str
) -> None:
    """In the fork: become the command, with standard input empty."""
    os.setsid()
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(environment)
    for number, path in ((1, stdout), (2, stderr)):
        file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.dup2(file, number)
        os.close(file)
    sys.argv = ["dinostream", *arguments]
    from pipeline.cli import main

    sys.exit(main())
