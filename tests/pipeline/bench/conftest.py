"""A real run of the smallest job by the plain loop and by dinostream, once for all tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.bench.clip import bench_clip
from pipeline.bench.replay import Settings
from pipeline.bench.task import Task
from pipeline.bench.trial import run_trial

TINY = {"seconds": 2.0, "rounds": 1, "model": "dinov2_vitti14", "short_side": 56}


@pytest.fixture(scope="session")
def tiny_settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A 2 s clip, 10 frames of 56x56, no Ray."""
    clips = tmp_path_factory.mktemp("clips")
    return Settings(clips=clips, shapes=("square",), runtimes=("inline",), **TINY)


@pytest.fixture(scope="session")
def tiny_clip(tiny_settings: Settings) -> Path:
    return bench_clip(tiny_settings.workload("square"), tiny_settings.clips, lambda _: None)


@pytest.fixture(scope="session")
def finished(tiny_settings, tiny_clip, tmp_path_factory):
    """contender -> (its task, done; its trial), of those that write records."""
    folder = tmp_path_factory.mktemp("finished")
    tasks = [
        Task(contender, tiny_settings.workload("square"), str(tiny_clip), folder / contender)
        for contender in ("plain", "inline")
    ]
    return {task.contender: (task, run_trial(task)) for task in tasks}
