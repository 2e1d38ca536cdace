"""What records of zones hold: each frame's zones, what stayed in them, and alerts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.client.action import FrameTime, frame_time
from pipeline.client.result import Result
from pipeline.records.record import Message


@dataclass(frozen=True, slots=True)
class ZoneClass:
    """A class in a zone.

    Attributes:
        id, name: of the class.
        share: part of the zone's area.
        nearest_m: metres that 5 % of it are nearer than; None: unknown.
        median_m: metres that half of it is nearer than; None: unknown.
    """

    id: int
    name: str
    share: float
    nearest_m: float | None
    median_m: float | None


@dataclass(frozen=True, slots=True)
class Zone:
    """One zone in one frame.

    Attributes:
        name: as the configuration calls it.
        outline: its corners (x, y), pixels of the source.
        occupied: names of the classes that count as being there.
        nearest_m, median_m: of all that is in it, as of a class.
        classes: the largest first.
    """

    name: str
    outline: tuple[tuple[float, float], ...]
    occupied: tuple[str, ...]
    nearest_m: float | None
    median_m: float | None
    classes: tuple[ZoneClass, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Zones(Result):
    """What is in the zones of a frame.

    Attributes:
        zones: in the order of their names.
        label_set: name of what says which classes there are.
    """

    zones: tuple[Zone, ...]
    label_set: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ZoneEpisode(Result):
    """What came into a zone, stayed there or left.

    Attributes:
        kind: `entered`, `dwell`, `left`, `occupancy`; others may come.
        zone: where.
        label: class; None of occupancy, which is about all that count.
        start, end: first and newest frame in which it was there.
        peak: frame with its largest share.
        peak_share: part of the zone's area.
        nearest_m: how near it came; None: unknown.
        cut: it was still there when its stream broke or ended.
    """

    kind: str
    zone: str
    label: str | None
    start: FrameTime
    end: FrameTime
    peak: FrameTime
    peak_share: float
    nearest_m: float | None
    cut: bool


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ZoneAlert(Result):
    """An alert that begins or ends.

    Attributes:
        alert: as the configuration calls it.
        zone: where.
        label: class that it is about; None: all.
        share_over: its condition: the class covers more than this part of the zone's area.
        nearest_below_m: its condition: nearer than so many metres.
        for_s: seconds that it has to hold before it begins, and not to hold before it ends.
        begins: it begins; else it ends.
        start: first frame in which its condition held.
        end: newest frame in which it held; None when it begins.
        peak: frame with the largest share, or the nearest metre.
        peak_share: of an alert about a share.
        nearest_m: how near it came; None: unknown.
        cut: its condition still held when its stream broke or ended.
    """

    alert: str
    zone: str
    label: str | None
    share_over: float | None
    nearest_below_m: float | None
    for_s: float
    begins: bool
    start: FrameTime
    end: FrameTime | None
    peak: FrameTime
    peak_share: float | None
    nearest_m: float | None
    cut: bool


def zones(said: Mapping[str, Any], message: Message) -> Zones:
    """Of a record of topic `zones`."""
    data = json.loads(message.value)
    found = tuple(_zone(one) for one in data["zones"])
    return Zones(**said, zones=found, label_set=message.headers["ce_labelset"])


def zone_episode(said: Mapping[str, Any], message: Message) -> ZoneEpisode:
    """Of a record of topic `zones.episodes`."""
    data = json.loads(message.value)
    return ZoneEpisode(
        **said,
        kind=data["kind"],
        zone=data["zone"],
        label=data["label"],
        start=frame_time(data["start"]),
        end=frame_time(data["end"]),
        peak=frame_time(data["peak"]),
        peak_share=float(data["peak"]["share"]),
        nearest_m=data["nearest_m"],
        cut=bool(data["cut"]),
    )


def zone_alert(said: Mapping[str, Any], message: Message) -> ZoneAlert:
    """Of a record of topic `zones.alerts`."""
    data = json.loads(message.value)
    return ZoneAlert(
        **said,
        alert=data["alert"],
        zone=data["zone"],
        label=data["label"],
        share_over=data["share_over"],
        nearest_below_m=data["nearest_below_m"],
        for_s=float(data["for_s"]),
        begins=data["phase"] == "begins",
        start=frame_time(data["start"]),
        end=frame_time(data["end"]) if data["end"] else None,
        peak=frame_time(data["peak"]),
        peak_share=data["peak"].get("share"),
        nearest_m=data["nearest_m"],
        cut=bool(data["cut"]),
    )


def _zone(data: Mapping[str, Any]) -> Zone:
    return Zone(
        data["zone"],
        tuple((float(x), float(y)) for x, y in data["outline"]),
        tuple(data["occupied"]),
        data["nearest_m"],
        data["median_m"],
        tuple(_class(one) for one in data["classes"]),
    )


def _class(data: Mapping[str, Any]) -> ZoneClass:
    return ZoneClass(
        int(data["id"]),
        data["name"],
        float(data["share"]),
        data["nearest_m"],
        data["median_m"],
    )
