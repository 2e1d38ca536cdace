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
from pipeline.vectors.row import TOPIC
from pipeline.view.axes import Axes, NotThere
from pipeline.view.follower import Follower
from pipeline.view.layers import Layers
from pipeline.view.moments import Moments
from pipeline.view.pictures import Pictures
from pipeline.view.series import Axis, Shelf
from pipeline.view.similar import Similar
from pipeline.view.statics import statics
from pipeline.view.stills import WHY_NONE, Stills
from pipeline.view.tiles import Sources
from pipeline.view.timeline import Timeline

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
        self._told = told
        self._away = away
        self._shelf = Shelf(self.index)
        self._axes = Axes(self._shelf)
        self._layers = Layers(self._shelf, self._axes)
        self._follower = Follower(self._shelf, self._axes)
        self.timeline = Timeline(self._shelf, self._axes)
        self.similar = Similar(self._shelf, self._axes)
        self.stills = Stills(self._shelf, self._axes, pictures)
        self.moments = Moments(self._shelf, self._axes, self.stills.in_footage)
        self.sources = Sources(
            self._shelf, self._layers, self._follower, self.states, self.sink, self.stills.decoded
        )

    @contextmanager
    def open(self) -> Iterator[Room]:
        """Followed until the end of the block."""
        self._follower.look()
        try:
            with self._follower.at_work():
                yield self
        finally:
            self.stills.close()
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
        pictures = self.stills.source(axis) if axis else None
        return {
            "state": state,
            "axes": [one.plain() for one in extents],
            "layers": self._layers.of(axis) if axis else [],
            "topics": {one: len(self._shelf.series(one, axis)) for one in topics} if axis else {},
            **self._shape(axis),
            "pictures": pictures,
            "pictures_why": "" if pictures else WHY_NONE,
            "similar": TOPIC in topics,
        }

    def labels(self, name: str) -> list[dict[str, Any]]:
        """A label set: id, name and colour of each class; nothing where nobody published it."""
        records = self.index.newest("labels", name, 1)
        if not records:
            return []
        found = json.loads(records[0].message.value)
        return found if isinstance(found, list) else []

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
