"""What records of tamper hold: what a camera's view is, and when something was wrong with it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pipeline.client.action import FrameTime, frame_time
from pipeline.client.result import Result
from pipeline.records.record import Message


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class View(Result):
    """What a camera's view is at a frame.

    Attributes:
        view: `clear`, or what is wrong with it; None while its usual picture is not known.
        since: first frame at which it was so; None where it is not known.
        signs: how unlike its usual picture the frame is, by name; none where that is not known.
    """

    view: str | None
    since: FrameTime | None
    signs: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TamperEpisode(Result):
    """A time in which something was wrong with a view, when it is over.

    Attributes:
        kind: `moved`, `covered`, `defocused`, `blinded` or `frozen`.
        start, end: first and last frame.
        peak: the first frame at which it was strongest.
        strength: how much then, 0 to 1.
        outcome: `over`; `adopted`, the new view became the camera's own; or `cut`, the stream ended
            or broke meanwhile.
    """

    kind: str
    start: FrameTime
    end: FrameTime
    peak: FrameTime
    strength: float
    outcome: str


def view(said: Mapping[str, Any], message: Message) -> View:
    """Of a record of topic `tamper`."""
    data = json.loads(message.value)
    since = None if data["since"] is None else frame_time(data["since"])
    return View(**said, view=data["view"], since=since, signs=data["signs"] or {})


def tamper_episode(said: Mapping[str, Any], message: Message) -> TamperEpisode:
    """Of a record of topic `tamper.episodes`."""
    data = json.loads(message.value)
    return TamperEpisode(
        **said,
        kind=data["kind"],
        start=frame_time(data["start"]),
        end=frame_time(data["end"]),
        peak=frame_time(data["peak"]),
        strength=float(data["peak"]["strength"]),
        outcome=data["outcome"],
    )
