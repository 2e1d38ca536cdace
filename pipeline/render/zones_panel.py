"""Zones over the video: who is in them, how near, and which alerts hold."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from PIL import Image

from operators.places.places import Places
from pipeline.drawing.canvas import Canvas
from pipeline.drawing.outline import Outline, draw_outline
from pipeline.drawing.palette import CLASS_COLOURS
from pipeline.records.payloads import time_us
from pipeline.records.record import Message
from pipeline.render.layout import Cell
from pipeline.render.panel import Pixels
from pipeline.render.track import Track

_CLASSES = 3  # told of a zone


@dataclass(frozen=True, slots=True)
class Alarm:
    """An alert, from the record that says that it begins to the one that says that it ends.

    Attributes:
        alert, zone: their names.
        from_us: event time.
        to_us: event time; None: no record says that it ended.
    """

    alert: str
    zone: str
    from_us: int
    to_us: int | None = None

    def holds(self, moment_us: int) -> bool:
        """At this event time."""
        return self.from_us <= moment_us and (self.to_us is None or moment_us < self.to_us)


class ZonesPanel:
    """The video with the outlines of zones, and what their records say below their names."""

    title, note = "zones", "classes that are in them, shares of their area, nearest metre"

    def __init__(
        self, track: Track, alarms: Sequence[Alarm] = (), drawn: Sequence[Outline] | None = None
    ) -> None:
        """
        Args:
            track: the records of `zones`.
            alarms: of the same stream.
            drawn: what is drawn; None: the outlines that the records tell.
        """
        self._track = track
        self._alarms = alarms
        self._drawn = drawn

    def draw_legend(self, canvas: Canvas, cell: Cell) -> None:
        """Names stand beside the outlines."""

    def picture(self, moment_us: int, frame: Pixels, began_us: int) -> Pixels:
        """The frame, with what holds now over it."""
        message = self._track.at(moment_us)
        said = {one["zone"]: one for one in _zones(message)}
        held = [alarm for alarm in self._alarms if alarm.holds(moment_us)]
        height, width = frame.shape[:2]
        canvas, box = Canvas(width, height), (0, 0, width, height)
        canvas.paste(Image.fromarray(frame), box)
        for number, outline in enumerate(self._outlines(said, message, held)):
            draw_outline(canvas, box, outline, CLASS_COLOURS[number % len(CLASS_COLOURS)])
        return np.asarray(canvas.finish(height))

    def _outlines(
        self, said: Mapping[str, Any], message: Message | None, held: Sequence[Alarm]
    ) -> list[Outline]:
        drawn = _told(said, message) if self._drawn is None else self._drawn
        return [
            replace(
                one,
                notes=(*_notes(said.get(one.name)), *_alerts(one.name, held)),
                alarmed=any(alarm.zone == one.name for alarm in held),
            )
            for one in drawn
        ]


def outlines(places: Places, source_hw: tuple[int, int]) -> list[Outline]:
    """Zones and lines as somebody drew them.

    Raises:
        ValueError: one is outside a picture of that size.
    """
    zones = [Outline(one.name, one.outline(source_hw)) for one in places.zones]
    return zones + [Outline(one.name, one.ends(source_hw), closed=False) for one in places.lines]


def alarms(messages: Iterable[Message]) -> list[Alarm]:
    """Alerts of a stream's records, in order.

    Args:
        messages: of topic `zones.alerts`, in order.
    """
    found: dict[tuple[str, str], Alarm] = {}
    for message in messages:
        said, at_us = json.loads(message.value), time_us(message.headers["ce_time"])
        key = (said["alert"], said["start"]["time"])
        if said["phase"] == "begins":
            found[key] = Alarm(said["alert"], said["zone"], at_us)
        elif key in found:
            begun = found[key]
            found[key] = Alarm(begun.alert, begun.zone, begun.from_us, at_us)
    return list(found.values())


def _zones(message: Message | None) -> list[dict[str, Any]]:
    """What a record of `zones` says."""
    found: list[dict[str, Any]] = json.loads(message.value)["zones"] if message else []
    return found


def _told(said: Mapping[str, Any], message: Message | None) -> list[Outline]:
    """The outlines that a record tells."""
    if message is None:
        return []
    height, width = (int(message.headers[f"ce_source{side}"]) for side in ("height", "width"))
    return [
        Outline(name, [(x / width, y / height) for x, y in one["outline"]])
        for name, one in said.items()
    ]


def _notes(zone: Mapping[str, Any] | None) -> tuple[str, ...]:
    if zone is None:
        return ()
    occupied = f"in it: {', '.join(zone['occupied'])}" if zone["occupied"] else ""
    classes = ", ".join(f"{one['name']} {one['share']:.0%}" for one in zone["classes"][:_CLASSES])
    nearest = "" if zone["nearest_m"] is None else f"nearest {zone['nearest_m']:.1f} m"
    return tuple(line for line in (occupied, classes, nearest) if line)


def _alerts(zone: str, held: Sequence[Alarm]) -> tuple[str, ...]:
    return tuple(f"alert: {alarm.alert}" for alarm in held if alarm.zone == zone)
