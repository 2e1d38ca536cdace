"""A picture of an episode's best frame: out of footage, else one that its job has published.

What a job has hidden in its pictures is not shown out of footage either (`pipeline.view.stills`).
A database is asked where it lies, of a cluster the moments' pictures are fetched first.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from operators.errors import DinostreamError
from pipeline.search.episode import Episode
from pipeline.search.fetched import Span, Tell, fetched
from pipeline.sinks.address import SqliteAddress, parse_sink_uri
from pipeline.sinks.sqlite.index import RecordIndex
from pipeline.vectors.row import Row
from pipeline.view.axes import Axes, NotThere
from pipeline.view.footage import Footage
from pipeline.view.pictures import NoPicture, Pictures
from pipeline.view.series import Axis, Shelf, place_of
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
        self._pictures = pictures
        self._shelf = Shelf(index)
        self._axes = Axes(self._shelf)
        self._stills = Stills(self._shelf, self._axes, pictures)

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
        if self._stills.in_footage(stream, session):
            region = self._region(axis, row)
            return self._pictures.of(stream, session, row.position, row.time_us, SIDE, region)
        try:
            return self._stills.of(axis, session, row.position, SIDE)
        except NoPicture:
            near = self._near(axis, row.time_us, from_us, to_us)
            if near is None:
                raise
            return near

    def _region(self, axis: Axis, row: Row) -> str:
        """Which part of its pictures the job looks at, as records of about then say it."""
        with suppress(NotThere):
            frames = self._axes.frames(axis)
            number = max(frames.last_to(place_of(row.series.session, row.position)), 0)
            return frames.headers(number).get("ce_region", "")
        return ""

    def _near(self, axis: Axis, time_us: int, from_us: int, to_us: int) -> bytes | None:
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


@dataclass(frozen=True, slots=True)
class Shown:
    """What pictures will be asked of.

    Attributes:
        rows: frames.
        episodes: their best frames, or others of theirs.
    """

    rows: Sequence[Row] = ()
    episodes: Sequence[Episode] = ()

    @property
    def spans(self) -> list[Span]:
        """When that was."""
        found = [(one, one.time_us, one.time_us) for one in self.rows]
        found += [(one.best, one.start_us, one.end_us) for one in self.episodes]
        return [Span(*row.series[:2], row.time_us, from_us, to_us) for row, from_us, to_us in found]


@contextmanager
def gallery(
    sink: str,
    footage: Footage,
    shown: Shown,
    *,
    settings: Mapping[str, Any] | None = None,
    tell: Tell = lambda read: None,
    on_absent: Callable[[str], None] = lambda why: None,
) -> Iterator[Gallery]:
    """Pictures of a sink's frames, until the end of the block.

    Args:
        sink: its URI.
        footage: that its records are of.
        shown: what will be asked of it.
        settings: of a cluster's client, as of `open_reader`.
        tell: hears how many of a cluster's records were read.
        on_absent: is told why the sink cannot be asked, so that there is footage alone: one may
            have indexed it and gone.
    """
    with ExitStack() as stack:
        pictures = stack.enter_context(closing(Pictures(footage)))
        published = None
        try:
            address = parse_sink_uri(sink)
            path: Path | None
            if isinstance(address, SqliteAddress):
                path = address.path
            else:
                own = fetched(sink, shown.spans, settings=settings or {}, tell=tell)
                path = stack.enter_context(own)
            if path is not None:
                index = stack.enter_context(closing(RecordIndex(path)))
                index.end()
                published = Published(index, pictures)
        except DinostreamError as error:
            on_absent(str(error))
        yield Gallery(published, pictures)
