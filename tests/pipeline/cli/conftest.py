"""The command line, as a real process and without the start of one."""

import contextlib
import io
import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline import cli

ROOT = Path(__file__).parents[3]


@pytest.fixture
def environment(tmp_path):
    """Variables of a process that finds the checkout from anywhere and has a home of its own."""
    return {**os.environ, "PYTHONPATH": str(ROOT), "HOME": str(tmp_path), "OMP_NUM_THREADS": "1"}


@pytest.fixture
def process(tmp_path, environment):
    """Runs `dinostream ARGUMENTS` in an empty folder, as a process; gives the finished one."""

    def run(*arguments):
        return subprocess.run(
            [sys.executable, "-m", "pipeline", *map(str, arguments)],
            capture_output=True,
            text=True,
            timeout=280,
            cwd=tmp_path,
            env=environment,
            check=False,
        )

    return run


@pytest.fixture
def started(tmp_path, environment):
    """Starts `dinostream ARGUMENTS` as a process that goes on beside the test, and ends with it."""
    with contextlib.ExitStack() as stack:

        def start(*arguments):
            process = subprocess.Popen(
                [sys.executable, "-m", "pipeline", *map(str, arguments)],
                stderr=subprocess.PIPE,
                text=True,
                cwd=tmp_path,
                env=environment,
            )
            stack.enter_context(process)
            stack.callback(process.kill)
            return process

        yield start


@pytest.fixture
def dinostream(tmp_path, monkeypatch):
    """The same without the seconds in which a process imports torch: what it would have said."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        words = [str(argument) for argument in arguments]
        with (
            contextlib.redirect_stdout(io.StringIO()) as out,
            contextlib.redirect_stderr(io.StringIO()) as err,
            logging_of_its_own(),
        ):
            code = cli.main(words)
        return subprocess.CompletedProcess(words, code, out.getvalue(), err.getvalue())

    return run


@contextlib.contextmanager
def logging_of_its_own():
    """A command sets up logging for its process."""
    loggers = [
        logging.getLogger(name) for name in ("", "kernels", "operators", "pipeline", "kafka")
    ]
    before = [(logger, logger.handlers[:], logger.level) for logger in loggers]
    try:
        yield
    finally:
        for logger, handlers, level in before:
            logger.handlers[:] = handlers
            logger.setLevel(level)
