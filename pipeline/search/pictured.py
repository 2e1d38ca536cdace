"""A picture of an episode's best frame: out of footage, else one that its job has published.

What a job has hidden in its pictures is not shown out of footage either (`pipeline.view.stills`).
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager

from PIL import Image

from operators.errors import DinostreamError
from pipeline.search.episode import Episode
from pipeline.sinks.address import SqliteAddress, parse_sink_uri
from pipeline.sinks.sqlite.index import RecordIndex
from pipeline.vectors.row import Row
from pipeline.view.axes import Axes
from pipeline.view.footage import Footage
from pipeline.view.pictures import NoPicture, Pictures
from pipeline.view.series import Axis, Shelf
from pipeline.view.stills import TOPIC, Stills

SIDE = 360  # pixels of the short side


class Published:
    """Pictures of a database's frames."""

    def __init__(self, index: RecordIndex, pictures: Pictures) -> None:
        """
        Args:
            index: of the database.
            pictures: of footage.
        """
        self._shelf = Shelf(index)
        self._stills = Stills(self._shelf, Axes(self._shelf), pictures)

    def of(self, row: Row, from_us: int, to_us: int) -> bytes:
        """A JPEG of a frame, or of one that was published nearest to it.

        Args:
            row: the frame.
            from_us, to_us: between which event times another one does, too.

        Raises:
            NoPicture: there is none, and why.
        """
        stream, session, _ = row.series
        axis = Axis.of(stream, session)
        try:
            return self._stills.of(axis, session, row.position, SIDE)
        except NoPicture:
            near = self._near(axis, row.time_us, from_us, to_us)
            if near is None:
                raise
            return near

    def _near(self, axis: Axis, time_us: int, from_us: int, to_us: int) -> bytes | None:
        if self._stills.in_footage(axis.stream, axis.name):
            return None  # it could not be decoded, which is to be said
        published = self._shelf.series(TOPIC, axis)
        before = published.last_at(time_us)
        there = {n: published.time_us(n) for n in (before, before + 1) if 0 <= n < len(published)}
        there = {n: at_us for n, at_us in there.items() if from_us <= at_us <= to_us}
        if not there:
            return None
        number = min(there, key=lambda n: abs(there[n] - time_us))
        records = self._shelf.index.records([published.offsets[number]])
        return records[0].message.value if records else None


class Gallery:
    """Pictures of frames and episodes."""

    def __init__(self, published: Published | None, pictures: Pictures) -> None:
        self._published = published
        self._pictures = pictures

    def of(self, row: Row) -> Image.Image:
        """Of a frame.

        Raises:
            NoPicture: there is none, and why.
        """
        return self._shown(row, row.time_us, row.time_us)

    def of_episode(self, episode: Episode) -> Image.Image:
        """Of its best frame, or the one of its frames that is nearest to it; errors as of `of`."""
        return self._shown(episode.best, episode.start_us, episode.end_us)

    def _shown(self, row: Row, from_us: int, to_us: int) -> Image.Image:
        if self._published is not None:
            jpeg = self._published.of(row, from_us, to_us)
        else:
            jpeg = self._pictures.of(*row.series[:2], row.position, row.time_us, SIDE)
        with Image.open(io.BytesIO(jpeg), formats=["JPEG"]) as image:
            return image.convert("RGB")


@contextmanager
def gallery(sink: str, footage: Footage) -> Iterator[Gallery]:
    """Pictures of a sink's frames, until the end of the block.

    Args:
        sink: its URI; of a cluster what it has published is not looked for.
        footage: that its records are of.
    """
    pictures = Pictures(footage)
    index = _database(sink)
    try:
        yield Gallery(Published(index, pictures) if index else None, pictures)
    finally:
        pictures.close()
        if index:
            index.close()


def _database(sink: str) -> RecordIndex | None:
    """The database of a sink that is one and is there: one may have indexed it and gone."""
    try:
        address = parse_sink_uri(sink)
        if not isinstance(address, SqliteAddress):
            return None
        index = RecordIndex(address.path)
        index.end()
    except DinostreamError:
        return None
    return index
