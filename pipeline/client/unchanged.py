"""What records of frames that were not computed hold: which records hold for them, too."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.client.action import FrameTime, frame_time
from pipeline.client.result import Result
from pipeline.records.record import Message


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Unchanged(Result):
    """Frames that show what a computed one before them does.

    Attributes:
        start, end: the first and the last of them.
        frames: that they are.
        repeats: the computed frame.
        ids: operator -> ids of its records of that frame, which hold for these, too.
        counts: operator -> how many of these frames it takes.
    """

    start: FrameTime
    end: FrameTime
    frames: int
    repeats: FrameTime
    ids: Mapping[str, tuple[str, ...]]
    counts: Mapping[str, int]


def unchanged(said: Mapping[str, Any], message: Message) -> Unchanged:
    """Of a record of topic `unchanged`."""
    data = json.loads(message.value)
    operators = data["operators"]
    return Unchanged(
        **said,
        start=frame_time(data["start"]),
        end=frame_time(data["end"]),
        frames=int(data["frames"]),
        repeats=frame_time(data["repeats"]),
        ids={name: tuple(one["ids"]) for name, one in operators.items()},
        counts={name: int(one["frames"]) for name, one in operators.items()},
    )
