"""Clips of two kinds in their folders, plans of action heads, and runs that take a head."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from operators.learn.vector_fit import Recipe
from pipeline.configuration.resolve import resolve
from pipeline.configuration.streams import stream_specs
from pipeline.fit.fit_action import ActionPlan
from pipeline.fit.fitting import FitPlan
from pipeline.records.record import Message
from pipeline.runtime.inline import InlineRun
from pipeline.sinks.uri import open_reader


@pytest.fixture
def two_kinds(tmp_path: Path, small_clip: Callable[..., Path]) -> Path:
    """A folder with two folders of three clips each."""
    for kind in ("bright", "dark"):
        for number in range(3):
            small_clip(tmp_path / "clips" / kind / f"{number}.mp4", kind, number=number)
    return tmp_path / "clips"


@pytest.fixture(scope="session")
def known(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Features that one test computed and others need: clips of equal content have the same."""
    return tmp_path_factory.mktemp("known")


@pytest.fixture
def action_plan(tmp_path: Path, known: Path) -> Callable[..., ActionPlan]:
    """`action_plan(poolings=("concat",))`: windows of 4 frames at 5 frames/s, 28 px; `cache=` for
    tests that look into it."""

    def made(
        *,
        classifier: Any = "linear",
        poolings: tuple[Any, ...] = ("mean",),
        grouping: Any = "file",
        cache: Path = known,
    ) -> ActionPlan:
        recipe = Recipe(classifier, poolings)
        own = FitPlan(cache, tmp_path / "own.safetensors", 28, recipe, grouping)
        return ActionPlan(own, 5.0, 4, 2)

    return made


def _replayed(
    source: Path,
    operators: list[str],
    sink: str,
    heads: dict[str, str] | None = None,
    **more: Any,
) -> list[Message]:
    values = {"sources": [str(source)], "operators": operators, "heads": heads or {}}
    values |= {"model": "dinov2_vitti14", "weights": "random", "runtime": "inline"}
    config = resolve(None, {**values, "sink": sink, "threads": 1, **more})
    specs = stream_specs(config, live=False)
    InlineRun(config, specs, fresh=False, tell=lambda _: None).run()
    reader = open_reader(sink)
    records = [record.message for record in reader.records()]
    reader.close()
    return records


@pytest.fixture(scope="session")
def replayed() -> Callable[..., list[Message]]:
    """Runs operators over a recording with heads; all that the sink then holds."""
    return _replayed
