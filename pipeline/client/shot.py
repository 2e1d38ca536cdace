"""What records of shots hold: from which frame to which nothing was cut."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.client.action import FrameTime, frame_time
from pipeline.client.result import Result
from pipeline.records.record import Message


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Shot(Result):
    """Decoded frames among which nothing was cut.

    Attributes:
        start, end: the first and the last of them.
        frames: that they are, sampled or not.
        began: `start` (of the session), `cut`, `fade` or `gap`.
    """

    start: FrameTime
    end: FrameTime
    frames: int
    began: str


def shot(said: Mapping[str, Any], message: Message) -> Shot:
    """Of a record of topic `shots`."""
    data = json.loads(message.value)
    return Shot(
        **said,
        start=frame_time(data["start"]),
        end=frame_time(data["end"]),
        frames=int(data["frames"]),
        began=str(data["began"]),
    )
