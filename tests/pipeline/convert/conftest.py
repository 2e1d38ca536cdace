"""Results as a subscriber gets them: of a release's corpus, and of what a test spells out."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from operators.result import canonical_json
from pipeline import subscribe
from pipeline.client.result import Result
from pipeline.records.record import Message
from pipeline.sinks.uri import open_sink
from tests.pipeline.golden.corpus import kept


def results_of(messages: list[Message], folder: Path) -> list[Result]:
    uri = f"sqlite:{folder / 'r.db'}"
    with closing(open_sink(uri)) as sink:
        sink.publish(messages)
    return list(subscribe(uri, follow=False, strict=True))


@pytest.fixture(scope="session")
def golden_results(tmp_path_factory: pytest.TempPathFactory) -> list[Result]:
    """What the corpus holds that the golden files were made of."""
    return results_of(kept("2026.11"), tmp_path_factory.mktemp("golden"))


@pytest.fixture
def summary(build: Any, tmp_path: Path) -> Callable[..., Result]:
    """`summary({"person": [[0, 0, 4, 4]]})`: a frame with these parts of classes."""

    def result(classes: dict[str, list[list[int]]], **info: Any) -> Result:
        said = [
            {"id": number, "name": name, "share": 0.5, "regions": [part(box) for box in boxes]}
            for number, (name, boxes) in enumerate(classes.items())
        ]
        data = canonical_json({"classes": said})
        message = build.message(7, "gate", topic="segmentation.summary", data=data, **info)
        named = replace(message, headers={**message.headers, "ce_labelset": "mine"})
        return results_of([named], tmp_path)[0]

    def part(box: list[int]) -> dict[str, Any]:
        return {"box": box, "share": 0.25}

    return result
