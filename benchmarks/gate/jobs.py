"""Whole jobs over clips of yards, with a gate and without: what they cost and what they answer."""

from __future__ import annotations

import json
import os
import statistics
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from benchmarks.gate.overlap import Overlap
from benchmarks.gate.yard import FPS, SAMPLED_FPS, Yard
from pipeline import subscribe
from pipeline.client.results import Depth, Segmentation, Unchanged
from pipeline.fit.scenes import nearest
from pipeline.stream.gate import THRESHOLD

ROUNDS = 2
VITS = ("--weights", "random", "--model", "dinov2_vits14", "--short-side", "224")
DEMO = ("--weights", "demo", "--short-side", "112")
GATED = ("--set", f"gate={json.dumps({'threshold': THRESHOLD})}")


def cost(yards: Sequence[Yard], folder: Path, seconds: float) -> dict[str, Any]:
    """Streams per core without a gate and with one, by CPU time less that of the start."""
    files = [str(yard.path) for yard in yards]
    media_s = seconds * len(yards)
    rounds: dict[str, list[float]] = defaultdict(list)
    for _ in range(ROUNDS):
        start_s = _replayed([*files, *VITS, "--set", "span_s=[0,0.1]"], folder / "s.db")
        for name, more in (("plain", ()), ("gated", GATED)):
            spent_s = _replayed([*files, *VITS, *more], folder / "c.db") - start_s
            rounds[name].append(media_s / spent_s)
    ratios = [one / other for one, other in zip(rounds["gated"], rounds["plain"], strict=True)]
    found = {f"{name} streams per core": _range(values) for name, values in rounds.items()}
    return found | {"ratio": _range(ratios)}


def quality(yards: Sequence[Yard], folder: Path) -> dict[str, Any]:
    """mIoU and AbsRel of the demo weights against the truth, without a gate and with one."""
    found: dict[str, Any] = {}
    operators = ("--operator", "depth", "--operator", "segmentation")
    for name, more in (("plain", ()), ("gated", GATED)):
        overlap = Overlap()
        for yard in yards:
            _replayed([str(yard.path), *DEMO, *operators, *more], folder / "q.db")
            for index, depth, classes in answers(f"sqlite:{folder / 'q.db'}"):
                assert depth.metres is not None
                truth, shape = yard.scene.render(index), classes.ids.shape
                true = nearest(truth.classes, shape), nearest(truth.depth_m, shape)
                overlap.add(true, (classes.ids, depth.metres))
        found[name] = overlap.summed()
    return found


def answers(sink: str) -> Iterator[tuple[int, Depth, Segmentation]]:
    """Every sampled frame by its index in the clip, with the records that hold for it."""
    found: dict[str, dict[int, Any]] = {"depth": {}, "segmentation": {}}
    by_id: dict[str, Any] = {}
    spans: list[Unchanged] = []
    for one in subscribe(sink, topics=[*found, "unchanged"], follow=False, strict=True):
        if isinstance(one, Unchanged):
            spans.append(one)
        elif one.time:
            found[one.topic][_index(one.time)] = by_id[one.id] = one
    step = FPS // SAMPLED_FPS
    for span in spans:
        for index in range(_index(span.start.time), _index(span.end.time) + 1, step):
            for topic, rows in found.items():
                rows[index] = by_id[span.ids[topic][0]]
    for index in sorted(found["depth"]):
        yield index, found["depth"][index], found["segmentation"][index]


def _replayed(arguments: Sequence[str], sink: Path) -> float:
    """CPU seconds of a whole job, decoders included."""
    sink.unlink(missing_ok=True)
    words = ["replay", *arguments, "--sink", f"sqlite:{sink}", "--runtime", "inline", "--json"]
    command = [sys.executable, "-m", "pipeline", *words, "--set", "threads=1"]
    child = os.posix_spawn(
        command[0],
        command,
        os.environ,
        file_actions=[
            (os.POSIX_SPAWN_OPEN, fd, str(sink) + ".log", os.O_WRONLY | os.O_CREAT, 0o600)
            for fd in (1, 2)
        ],
    )
    _, status, spent = os.wait4(child, 0)
    if status:
        sys.exit(f"the job failed: {Path(str(sink) + '.log').read_text()}")
    return spent.ru_utime + spent.ru_stime


def _range(values: Sequence[float]) -> list[float]:
    return [round(one, 2) for one in (min(values), statistics.median(values), max(values))]


def _index(time: datetime) -> int:
    return round(time.timestamp() * FPS)
