"""Everything that is looked at on one page: a database, who follows it, and footage.

What the page asks -> JSON values; knows nothing of HTTP.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pipeline.records.message import wall_clock_us
from pipeline.sinks.sqlite.index import RecordIndex
from pipeline.view.axes import Axes, NotThere
from pipeline.view.follower import Follower
from pipeline.view.layers import Layers
from pipeline.view.moments import Moments
from pipeline.view.pictures import NoPicture, Pictures
from pipeline.view.series import Axis, Shelf, place_of, session_of
from pipeline.view.similar import TOPIC, Similar
from pipeline.view.statics import statics
from pipeline.view.tiles import Sources
from pipeline.view.timeline import Timeline

NO_PICTURES = (
    "the records have no pictures: name the footage with --media, or let the job publish some "
    "(operators: {frames: {}})"
)

Told = Callable[[], Mapping[str, Mapping[str, Any]]]
"""Stream -> what whoever runs it knows better than its records: state, reason, since_us, share."""


class Room:
    """
    Attributes:
        index: of the database.
    """

    def __init__(
        self, path: Path, name: str, pictures: Pictures, told: Told, away: Callable[[], str]
    ) -> None:
        """
        Args:
            path: the database.
            name: what the sink is called, secrets masked.
            pictures: of footage.
            told: of the job that writes it, where it is this one.
            away: why what fills the database stands still; "" where it does not.
        """
        self.index = RecordIndex(path)
        self._name = name
        self._pictures = pictures
        self._told = told
        self._away = away
        self._shelf = Shelf(self.index)
        self._axes = Axes(self._shelf)
        self._layers = Layers(self._shelf, self._axes)
        self._follower = Follower(self._shelf, self._axes)
        self.timeline = Timeline(self._shelf, self._axes)
        self.similar = Similar(self._shelf, self._axes)
        self.moments = Moments(self._shelf, self._axes, self._has_footage)
        self.sources = Sources(
            self._shelf, self._layers, self._follower, self.states, self.sink, self._still
        )

    @contextmanager
    def open(self) -> Iterator[Room]:
        """Followed until the end of the block."""
        self._follower.look()
        try:
            with self._follower.at_work():
                yield self
        finally:
            self._pictures.close()
            self.index.close()

    def sink(self) -> dict[str, Any]:
        """What the sink is and whether it is there."""
        state, detail = self._follower.sink
        if away := self._away():
            state, detail = "away", away
        return {
            "sink": self._name,
            "kind": self._name.partition(":")[0],
            "sink_state": state,
            "sink_detail": detail,
            "now_us": wall_clock_us(),
            "version": statics().version,  # a page of another one says so
        }

    def states(self) -> list[dict[str, Any]]:
        """How every stream fares."""
        known, told = self._follower.states(), self._told()
        found = {one["stream"]: one | dict(told.get(one["stream"], {})) for one in known}
        unseen = [
            self._follower.unseen(name) | dict(one)
            for name, one in told.items()
            if name not in found
        ]
        return sorted([*found.values(), *unseen], key=lambda one: one["stream"])

    def stream(self, name: str) -> dict[str, Any]:
        """What there is of one.

        Raises:
            NotThere: nobody has written it.
        """
        state = next((one for one in self.states() if one["stream"] == name), None)
        try:
            topics = self._axes.topics_of(name)
        except NotThere:
            if state is None:
                raise
            topics = []
        extents = self._axes.extents(name) if topics else []
        axis = extents[-1].axis if extents else None
        pictures = self._pictures_of(axis)
        return {
            "state": state,
            "axes": [one.plain() for one in extents],
            "layers": self._layers.of(axis) if axis else [],
            "topics": {one: len(self._shelf.series(one, axis)) for one in topics} if axis else {},
            **self._shape(axis),
            "pictures": pictures,
            "pictures_why": "" if pictures else NO_PICTURES,
            "similar": TOPIC in topics,
        }

    def picture(self, axis: Axis, session: str, position: str, side: int) -> bytes:
        """A JPEG of that very frame.

        Raises:
            NoPicture: there is none, and why.
        """
        if self._has_footage(axis.stream, session):
            frames = self._axes.frames(axis)
            number = max(frames.last_to(place_of(session, position)), 0)
            where = (axis.stream, session, position, frames.time_us(number))
            region = frames.headers(number).get("ce_region", "")
            return self._pictures.of(*where, side, region)
        variant = self._shelf.series("frames", axis).variants.get(session, "-")
        identity = f"frames/{axis.stream}/{session}/{position}/{variant}"
        record = self.index.record("frames", identity)
        if record is None:
            raise NoPicture(NO_PICTURES)
        return record.message.value

    def labels(self, name: str) -> list[dict[str, Any]]:
        """A label set: id, name and colour of each class; nothing where nobody published it."""
        records = self.index.newest("labels", name, 1)
        if not records:
            return []
        found = json.loads(records[0].message.value)
        return found if isinstance(found, list) else []

    def _pictures_of(self, axis: Axis | None) -> str | None:
        if axis is None:
            return None
        frames = self._axes.frames(axis)
        if self._has_footage(axis.stream, session_of(frames.headers(len(frames) - 1))):
            return "footage"
        return "frames" if len(self._shelf.series("frames", axis)) else None

    def _shape(self, axis: Axis | None) -> dict[str, Any]:
        """Of the pictures, as the newest record has it."""
        if axis is None:
            return {"size_wh": None, "region": None}
        frames = self._axes.frames(axis)
        headers = frames.headers(len(frames) - 1)
        region = headers.get("ce_region")
        sides = [headers.get(f"ce_source{side}", "") for side in ("width", "height")]
        return {
            "size_wh": [int(one) for one in sides] if all(map(str.isdecimal, sides)) else None,
            "region": region and [int(part) for part in region.split(",")],
        }

    def _has_footage(self, stream: str, session: str) -> bool:
        return self._pictures.source(stream, session) is not None

    def _still(
        self, stream: str, session: str, position: str, at_us: int, side: int, region: str
    ) -> bytes | None:
        if not self._has_footage(stream, session):
            return None
        try:
            return self._pictures.of(stream, session, position, at_us, side, region)
        except NoPicture:
            return None
