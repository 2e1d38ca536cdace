"""Builders of real messages and progress for the tests of sinks."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pytest

from operators.frames import FrameInfo
from operators.operator import Operator
from operators.result import JSON, Result, canonical_json
from pipeline.message import Publisher
from pipeline.progress import Progress
from pipeline.sinks.sink import Message

if TYPE_CHECKING:
    from operators.frames import Features

VARIANT = "0123456789ab"
MODEL = "dinov2_vits14-b938bf1bc15c"


class Silent(Operator):
    """An operator only for its name and whether it was trained."""

    name = "action"

    def __call__(self, features: Features) -> list[Result]:
        return []


def frame_info(number: int = 0, stream: str = "cam1", **more: Any) -> FrameInfo:
    facts: dict[str, Any] = {
        "stream": stream,
        "session": "a1b2c3d4e5f6",
        "position": str(number * 3000),
        "pts": number * 3000,
        "time_base": Fraction(1, 90000),
        "event_time_us": number * 33_333,
        "ingest_time_us": 1_700_000_000_000_000,
        "source_hw": (360, 640),
    }
    return FrameInfo(**(facts | more))


def message(
    number: int = 0,
    stream: str = "cam1",
    *,
    topic: str = "action",
    data: bytes | None = None,
    **info: Any,
) -> Message:
    """The record of one frame, as a run would build it."""
    value = canonical_json({"number": number}) if data is None else data
    result = Result(frame_info(number, stream, **info), topic, JSON, value)
    return Publisher(stream, "feedfacecafe", MODEL).record(result, VARIANT, Silent())


def after(progress: Progress, **changes: Any) -> Progress:
    """The progress that the next commit of the stream would write."""
    from dataclasses import replace

    return replace(progress, sequence=progress.sequence + 1, **changes)


class Build:
    """What tests build records with."""

    info = staticmethod(frame_info)
    message = staticmethod(message)
    after = staticmethod(after)
    variant = VARIANT
    model = MODEL
    operator: Callable[[], Operator] = Silent


@pytest.fixture(scope="session")
def build() -> type[Build]:
    return Build
