"""`dinostream bench scale`: what a frame costs beside its model, by the number of streams.

Settings in -> a report as JSON values out. Every cell runs in processes of its own; what is
compared ran in the same round.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from operators.bench.provenance import load, provenance
from operators.errors import UsageError
from pipeline.bench.scale_cell import Cell, Taken
from pipeline.bench.scale_figures import Round, cell_figures, kept_up, scale_figures
from pipeline.bench.trial import LAST_WORDS, environment
from pipeline.bench.workload import Runtime
from pipeline.errors import RuntimeFailure
from pipeline.sinks.uri import check_sink

FORMAT = 1
END_S = 60.0  # for a cell to come to its end when nobody wants its answer any more

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Settings:
    """How much is measured; see `Cell`.

    Attributes:
        fps: frames per second of all streams together.
    """

    streams: tuple[int, ...] = (1, 10, 100, 1000)
    fps: float = 100.0
    seconds: float = 30.0
    rounds: int = 1
    short_side: int = 224
    runtimes: tuple[Runtime, ...] = ("inline", "ray")
    kafka: str = ""

    def __post_init__(self) -> None:
        if not self.streams or min(self.streams) < 1:
            raise UsageError(f"streams must be at least 1, got {list(self.streams)}")

    def cell(self, runtime: Runtime, streams: int, folder: str) -> Cell:
        """One of them."""
        return Cell(runtime, streams, self.fps, self.seconds, self.short_side, self.kafka, folder)


def measure(settings: Settings, tell: Tell) -> dict[str, Any]:
    """Run every cell.

    Args:
        settings: how much.
        tell: told what happens now.

    Returns:
        The report; `pipeline.bench.scale_report` makes tables of it.

    Raises:
        UsageError: the broker's address is none, or psutil is not installed.
        SinkError: no broker answers there.
        RuntimeFailure: a cell failed.
    """
    with tempfile.TemporaryDirectory(prefix="dinostream-bench-") as scratch:
        check_sink(settings.cell("inline", 1, scratch).config.sink.uri)
        origin = provenance()
        rounds = [
            _round(settings, Path(scratch, str(number)), f"round {number + 1}", tell)
            for number in range(settings.rounds)
        ]
    return {
        "benchmark": "scale",
        "format": FORMAT,
        **origin,
        "load_after": load(),
        "rounds": settings.rounds,
        "workload": {
            "fps": settings.fps,
            "seconds": settings.seconds,
            "short_side": settings.short_side,
            "sink": "kafka" if settings.kafka else "sqlite",
        },
        "cells": [
            {
                "runtime": runtime,
                "streams": streams,
                "kept_up": [kept_up(one[runtime, streams]) for one in rounds],
                "figures": [one.to_json() for one in cell_figures(rounds, runtime, streams)],
            }
            for runtime, streams in rounds[0]
        ],
        "figures": [one.to_json() for one in scale_figures(rounds, settings.fps)],
    }


def _round(settings: Settings, folder: Path, name: str, tell: Tell) -> Round:
    taken: dict[tuple[Runtime, int], Taken] = {}
    for streams in settings.streams:
        for runtime in settings.runtimes:
            cell = settings.cell(runtime, streams, str(folder / f"{runtime}-{streams}"))
            many = f"{streams} stream{'' if streams == 1 else 's'}"
            told = _titled(f"{name}, {runtime}, {many}", tell)
            told("starting")
            taken[runtime, streams] = run_cell(cell, told)
    return taken


def _titled(title: str, tell: Tell) -> Tell:
    return lambda text: tell(f"{title}: {text}")


def run_cell(cell: Cell, tell: Tell) -> Taken:
    """Run one cell to its end; it ends too where this is interrupted.

    Raises:
        RuntimeFailure: it failed; its last words say why.
    """
    Path(cell.folder).mkdir(parents=True)
    with cell.words.open("wb") as words:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "pipeline.bench.scale_run"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=words,
            env=environment(),
            process_group=0,  # Ctrl-C is for us, and the end of its stdin for it
            text=True,
        )
    assert process.stdin
    assert process.stdout
    try:
        process.stdin.write(cell.to_json() + "\n")
        process.stdin.flush()
        for line in process.stdout:
            tell(line.rstrip("\n"))
        process.wait()
    finally:
        _end(process)
    if process.returncode or not cell.answer.exists():
        said = cell.words.read_text(errors="replace")[-LAST_WORDS:]
        what = f"{cell.runtime} with {cell.streams} streams"
        raise RuntimeFailure(f"{what} ended with {process.returncode}:\n{said}")
    return Taken.from_json(json.loads(cell.answer.read_text()))


def _end(process: subprocess.Popen[str]) -> None:
    """It stops its job and its processes when its stdin ends."""
    assert process.stdin
    assert process.stdout
    try:
        process.stdin.close()
        process.wait(END_S)
    finally:
        process.kill()  # nothing where it has ended
        process.wait()
        process.stdout.close()
