"""What records of action hold: windows of frames, and episodes of such windows."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pipeline.client.result import Result, moment
from pipeline.client.scores import Score, scores
from pipeline.records.record import Message


@dataclass(frozen=True, slots=True)
class FrameTime:
    """A frame: its position in the session, and when it happened, UTC."""

    position: str
    time: datetime


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Action(Result):
    """What happens in a window of frames.

    Attributes:
        start, end: its first and last frame.
        frames: that it has.
        partial: the stream ended or broke before the window was full.
        labels: highest score first, maybe none.
    """

    start: FrameTime
    end: FrameTime
    frames: int
    partial: bool
    labels: tuple[Score, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Episode(Result):
    """A label's windows without a break, when they are over.

    Attributes:
        label: the label, with its highest score.
        start, end: first and last frame.
        peak: last frame of the window with the highest score.
        windows: that it has; neighbours overlap.
    """

    label: Score
    start: FrameTime
    end: FrameTime
    peak: FrameTime
    windows: int


def action(said: Mapping[str, Any], message: Message) -> Action:
    """Of a record of topic `action`."""
    data = json.loads(message.value)
    return Action(
        **said,
        start=frame_time(data["start"]),
        end=frame_time(data["end"]),
        frames=int(data["frames"]),
        partial=bool(data["partial"]),
        labels=scores(data["labels"]),
    )


def episode(said: Mapping[str, Any], message: Message) -> Episode:
    """Of a record of topic `action.episodes`."""
    data = json.loads(message.value)
    label, peak = data["label"], data["peak"]
    return Episode(
        **said,
        label=Score(int(label["id"]), label["name"], float(peak["score"])),
        start=frame_time(data["start"]),
        end=frame_time(data["end"]),
        peak=frame_time(peak),
        windows=int(data["windows"]),
    )


def frame_time(data: Mapping[str, Any]) -> FrameTime:
    """Of a value.

    Raises:
        ValueError: it has no time.
    """
    time = moment(data["time"])
    if time is None:
        raise ValueError("a frame without a time")
    return FrameTime(data["position"], time)
