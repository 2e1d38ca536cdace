"""Whether memory grows with the length of a clip: a short and a long one through the whole job."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from operators.bench.figure import Figure
from pipeline.bench.clip import bench_clip
from pipeline.bench.figures import MIB
from pipeline.bench.task import CONTENDERS, Task
from pipeline.bench.trial import Trial, run_trial
from pipeline.bench.workload import Runtime, Workload

LENGTHS_S = (60.0, 600.0)
MOST_GROWTH = 1.05


def memory_workload(seconds: float) -> Workload:
    """A cheap job: what grows with time does so whatever the model's size."""
    return Workload(
        f"{seconds:g} s",
        size_wh=(320, 180),
        seconds=seconds,
        scene_seconds=min(seconds, 10.0),
        model="dinov2_vitti14",
        short_side=112,
    )


def measure_memory(
    runtimes: Sequence[Runtime],
    clips: Path,
    scratch: Path,
    tell: Callable[[str], None],
    *,
    lengths_s: tuple[float, float] = LENGTHS_S,
) -> list[dict[str, Any]]:
    """Peak memory of both lengths in every runtime, and their ratio.

    Args:
        runtimes: of dinostream.
        clips: where clips are kept.
        scratch: where runs may write.
        tell: told what happens now.
        lengths_s: of the short and the long clip.
    """
    figures = []
    for runtime in runtimes:
        trials = [
            _trial(runtime, memory_workload(seconds), clips, scratch / "memory", tell)
            for seconds in lengths_s
        ]
        figures += _figures(runtime, trials, lengths_s)
    return [one.to_json() for one in figures]


def _trial(
    runtime: Runtime, workload: Workload, clips: Path, folder: Path, tell: Callable[[str], None]
) -> Trial:
    clip = bench_clip(workload, clips, tell)
    tell(f"memory of {workload.name}: {CONTENDERS[runtime]}")
    try:
        return run_trial(Task(runtime, workload, str(clip), folder))
    finally:
        shutil.rmtree(folder)


def _figures(runtime: str, trials: Sequence[Trial], lengths_s: Sequence[float]) -> list[Figure]:
    short, long = trials
    peaks = [
        Figure(f"{runtime}: peak memory of {seconds:g} s", "MiB", (trial.peak_bytes / MIB,))
        for seconds, trial in zip(lengths_s, trials, strict=True)
    ]
    decoder = (long.decoder_bytes or 0) / MIB
    growth = long.peak_bytes / short.peak_bytes
    return [
        *peaks,
        Figure(
            f"{runtime}: the long clip's of the short one's", "x", (growth,), MOST_GROWTH, False
        ),
        Figure(f"{runtime}: its decode process", "MiB", (decoder,)),
    ]
