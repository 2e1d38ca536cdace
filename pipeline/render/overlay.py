"""What is drawn over the video itself: boxes, masks, tracks and their tails, a banner of a spoilt
view, the mark of a cut.

Records in -> lines and words on a canvas out. Coordinates are of the source; `Scale` has them on
the picture.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, Protocol

import numpy as np
from PIL import Image

from operators.detect.run_lengths import mask_of
from pipeline.drawing.canvas import Canvas, text_width
from pipeline.drawing.palette import ACCENT, GREY, PAPER, RGB, WARNING, WARNING_PAPER
from pipeline.drawing.tagged_box import number_colour, tagged_box
from pipeline.records.payloads import time_us
from pipeline.records.record import Message
from pipeline.records.topics import SHOTS
from pipeline.render.track import Track, held_maps

OVERLAID: Mapping[str, str] = {
    "detect": "detections",
    "track": "tracks",
    "tamper": "tamper",
    SHOTS: SHOTS,
}
"""Operator, or shots -> the one of its topics that is drawn over the video."""
TAIL_S = 3.0  # of a track's way
MARK_S = 0.5  # that the mark of a cut stands
_BANNER = 26.0  # height of one
_EDGE, _SIZE = 5.0, 18.0  # of a cut's mark: width of its frame, size of its words


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
    """Detections: a box each, its colour the label's, and its mask where it has one."""

    def __init__(self, messages: Iterator[Message]) -> None:
        self._track = Track(held_maps(messages))

    def draw(self, canvas: Canvas, scale: Scale, moment_us: int, began_us: int) -> None:
        """The newest frame's."""
        message = self._track.at(moment_us)
        objects = json.loads(message.value)["objects"] if message else []
        for one in reversed(objects):
            if "mask" in one:
                _mask(canvas, scale, one["mask"], number_colour(one["id"]))
        for one in reversed(objects):
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


class Cuts:
    """A frame around the picture and the number of the shot that begins, for a moment."""

    def __init__(self, messages: Iterator[Message]) -> None:
        """Reads all of them, because a shot is told when it is over: when each begins, and how."""
        told = map(json.loads, (message.value for message in messages))
        shots = {time_us(said["start"]["time"]): said["began"] for said in told}
        self._shots = sorted(shots.items())

    def draw(self, canvas: Canvas, scale: Scale, moment_us: int, began_us: int) -> None:
        """Where one has begun less than `MARK_S` ago; the first has been cut off from nothing."""
        number = bisect_right(self._shots, moment_us, key=itemgetter(0)) - 1
        if number < 1 or moment_us - self._shots[number][0] >= MARK_S * 1e6:
            return
        width, height = scale.size_wh
        left, top, right, bottom = _EDGE / 2, _EDGE / 2, width - _EDGE / 2, height - _EDGE / 2
        corners = [(left, top), (right, top), (right, bottom), (left, bottom), (left, top)]
        canvas.line(corners, ACCENT, width=_EDGE)
        began = self._shots[number][1]
        words = f"shot {number + 1}" + ("" if began == "cut" else f", {began}")
        across = text_width(words, _SIZE) + _SIZE
        canvas.rectangle((0, height - 1.5 * _SIZE, across, height), ACCENT)
        at = (_SIZE / 2, height - 0.75 * _SIZE)
        canvas.text(at, words, _SIZE, fill=PAPER, anchor="lm", bold=True)


OVERLAYS: Mapping[str, Callable[[Iterator[Message]], Overlay]] = {
    "detections": Boxes,
    "tracks": Tracks,
    "tamper": View,
    SHOTS: Cuts,
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


def _mask(canvas: Canvas, scale: Scale, mask: Mapping[str, Any], colour: RGB) -> None:
    cells = mask_of(mask["size"], mask["counts"])
    canvas.tint(Image.fromarray(cells.astype(np.uint8) * 255), (0, 0, *scale.size_wh), colour)


def _box(canvas: Canvas, scale: Scale, box: list[float], words: str, colour: RGB) -> None:
    left, top, right, bottom = box
    picture = (0, 0, *scale.size_wh)
    seen = (*scale.at(left, top), *scale.at(right, bottom))
    tagged_box(canvas, seen, words, colour, within=picture)


def _banner(canvas: Canvas, width: int, words: str) -> None:
    canvas.rectangle((0, 0, width, _BANNER), WARNING_PAPER, outline=WARNING)
    middle = (width / 2, _BANNER / 2)
    canvas.text(middle, words, 16, fill=WARNING, anchor="mm", bold=True)
