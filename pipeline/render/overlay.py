"""What is drawn over the video itself: boxes, tracks and their tails, a banner of a spoilt view.

Records in -> lines and words on a canvas out. Coordinates are of the source; `Scale` has them on
the picture.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from pipeline.drawing.canvas import Canvas
from pipeline.drawing.palette import GREY, RGB, WARNING, WARNING_PAPER
from pipeline.drawing.tagged_box import number_colour, tagged_box
from pipeline.records.payloads import time_us
from pipeline.records.record import Message
from pipeline.render.track import Track, held_maps

OVERLAID: Mapping[str, str] = {"detect": "detections", "track": "tracks", "tamper": "tamper"}
"""Operator -> the one of its topics that is drawn over the video."""
TAIL_S = 3.0  # of a track's way
_BANNER = 26.0  # height of one


@dataclass(frozen=True, slots=True)
class Scale:
    """From pixels of the source to those of the picture.

    Attributes:
        across, down: pixels of the picture for one of the source.
        size_wh: of the picture.
    """

    across: float
    down: float
    size_wh: tuple[int, int]

    def at(self, x: float, y: float) -> tuple[float, float]:
        """A place."""
        return x * self.across, y * self.down


class Overlay(Protocol):
    """One topic, drawn over the frames of a film in their order."""

    def draw(self, canvas: Canvas, scale: Scale, moment_us: int, began_us: int) -> None:
        """What holds at a moment.

        Args:
            canvas: with the frame on it.
            scale: of the picture.
            moment_us: event time.
            began_us: event time of the recording's first frame.
        """
        ...


class Boxes:
    """Detections: a box each, its colour the label's."""

    def __init__(self, messages: Iterator[Message]) -> None:
        self._track = Track(held_maps(messages))

    def draw(self, canvas: Canvas, scale: Scale, moment_us: int, began_us: int) -> None:
        """The newest frame's."""
        message = self._track.at(moment_us)
        for one in reversed(json.loads(message.value)["objects"] if message else []):
            words = f"{one['name']} {one['score']:.2f}"
            _box(canvas, scale, one["box"], words, number_colour(one["id"]))


class Tracks:
    """Tracks: a box each with its number, its colour the track's, and where its foot has been."""

    def __init__(self, messages: Iterator[Message]) -> None:
        self._passing = _Passing(messages)
        self._now: list[dict[str, Any]] = []
        self._feet: dict[int, deque[tuple[int, tuple[float, float]]]] = {}

    def draw(self, canvas: Canvas, scale: Scale, moment_us: int, began_us: int) -> None:
        """The newest frame's boxes over the tails of all that are tracked."""
        for message in self._passing.until(moment_us):
            self._take(message)
        for one in self._now:
            way = [scale.at(*foot) for _, foot in self._feet[one["id"]]]
            if len(way) > 1:
                canvas.line(way, number_colour(one["id"]), width=2.5)
        for one in self._now:
            seen = one["state"] == "seen"
            words = f"{one['id']} {one['label']['name']}" + (
                f" {one['score']:.2f}" if seen else " lost"
            )
            _box(canvas, scale, one["box"], words, number_colour(one["id"]) if seen else GREY)

    def _take(self, message: Message) -> None:
        now_us = time_us(message.headers["ce_time"])
        self._now = json.loads(message.value)["tracks"]
        self._feet = {one["id"]: self._feet.get(one["id"], deque()) for one in self._now}
        for one in self._now:
            feet, (left, _, right, bottom) = self._feet[one["id"]], one["box"]
            feet.append((now_us, ((left + right) / 2, bottom)))
            while feet[0][0] < now_us - TAIL_S * 1e6:
                feet.popleft()


class View:
    """A banner while the camera's view is spoilt."""

    def __init__(self, messages: Iterator[Message]) -> None:
        self._track = Track(held_maps(messages))

    def draw(self, canvas: Canvas, scale: Scale, moment_us: int, began_us: int) -> None:
        """What the newest frame's is, and since when."""
        message = self._track.at(moment_us)
        said: dict[str, Any] = json.loads(message.value) if message else {"view": None}
        if said["view"] not in (None, "clear"):
            since_s = (time_us(said["since"]["time"]) - began_us) / 1e6
            _banner(canvas, scale.size_wh[0], f"VIEW {said['view'].upper()} since {since_s:.1f} s")


OVERLAYS: Mapping[str, Callable[[Iterator[Message]], Overlay]] = {
    "detections": Boxes,
    "tracks": Tracks,
    "tamper": View,
}
"""Topic -> what draws it."""


class _Passing:
    """Messages of one topic, each given out once, when its time has come."""

    def __init__(self, messages: Iterator[Message]) -> None:
        self._messages = messages
        self._next = next(messages, None)

    def until(self, moment_us: int) -> Iterator[Message]:
        while self._next and time_us(self._next.headers["ce_time"]) <= moment_us:
            yield self._next
            self._next = next(self._messages, None)


def _box(canvas: Canvas, scale: Scale, box: list[float], words: str, colour: RGB) -> None:
    left, top, right, bottom = box
    picture = (0, 0, *scale.size_wh)
    seen = (*scale.at(left, top), *scale.at(right, bottom))
    tagged_box(canvas, seen, words, colour, within=picture)


def _banner(canvas: Canvas, width: int, words: str) -> None:
    canvas.rectangle((0, 0, width, _BANNER), WARNING_PAPER, outline=WARNING)
    middle = (width / 2, _BANNER / 2)
    canvas.text(middle, words, 16, fill=WARNING, anchor="mm", bold=True)
