"""One session of an archive as it lies on disk: segments, each behind what came before it.

A segment is named by the frames before it and by the epoch of its writer. A writer that goes on
begins another one: what an earlier one had written beyond that point counts for nothing, and a
writer that was thought dead and comes back adds to a file that is cut off. Knows no stream.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from operators.archive.layout import Layout
from pipeline.archive.group import Group
from pipeline.archive.header import Header
from pipeline.archive.packing import Order
from pipeline.errors import RuntimeFailure, SourceError
from pipeline.sinks.spill.segment import Found, framed, scan, sync_folder, write

DAMAGED = "its beginning is damaged"
SEGMENT_FRAMES = 4096  # what a resume looks through at most; then another segment is begun
_NAME = re.compile(r"([0-9]{10})-([0-9]{6,})\.kept")


@dataclass(frozen=True, slots=True)
class Segment:
    """One file.

    Attributes:
        begin: frames of the session before it.
        epoch: of the claim under which it was written.
    """

    path: Path
    begin: int
    epoch: int

    def header(self) -> Header | None:
        """None: its writer was killed before that was whole, and no frame is there.

        Raises:
            SourceError: it cannot be read, or is none of ours.
        """
        try:
            first = next(scan(self.path), None)
            if first is None or first.torn:
                return None
            if first.data is None:
                raise ValueError(DAMAGED)
            return Header.from_bytes(first.data)
        except OSError as error:
            raise SourceError(f"{self.path}: {error.strerror or error}") from error
        except ValueError as error:
            raise SourceError(f"{self.path}: {error}") from error

    def groups(self) -> Iterator[tuple[Found, Group | None]]:
        """All but a whole header, in order; None: what lies there is damaged."""
        for found in scan(self.path):
            if found.offset or found.data is None:
                yield found, _group(found.data)


@dataclass(frozen=True, slots=True)
class Lost:
    """Frames that were kept and cannot be read.

    Attributes:
        frames: how many.
        least: or more: nothing behind them tells where they end.
    """

    frames: int
    least: bool = False


class Session:
    """A folder of segments."""

    def __init__(self, folder: Path) -> None:
        """`folder`: which may not be there."""
        self.folder = folder

    def segments(self) -> list[Segment]:
        """In order; of several that begin at one frame the last, and none that a writer began who
        was thought dead, among those of its successor."""
        in_order = sorted(self._all(), key=lambda one: (one.begin, one.epoch))
        found: dict[int, Segment] = {}
        epoch = 0
        for one in in_order:
            if one.epoch >= epoch:
                found[one.begin], epoch = one, one.epoch
        return list(found.values())

    def header(self) -> Header | None:
        """Of its first segment. None: nothing was ever kept there, no segment or a first one alone
        that has none.

        Raises:
            SourceError: it cannot be read, or is damaged.
        """
        try:
            segments = self.segments()
        except OSError as error:
            raise SourceError(f"{self.folder}: {error.strerror or error}") from error
        header = segments[0].header() if segments else None
        if header is None and segments and (len(segments) > 1 or segments[0].begin):
            raise SourceError(f"{segments[0].path}: {DAMAGED}")
        return header

    def items(self, first: int = 0) -> Iterator[Group | Lost]:
        """Its frames from number `first` on, each once, and what is missing of them.

        Raises:
            SourceError: a segment cannot be read.
        """
        segments = self.segments()
        here = first
        for number, segment in enumerate(segments):
            below = segments[number + 1].begin if number + 1 < len(segments) else None
            if below is not None and below <= here:
                continue
            try:
                for item in _unread(segment, here, below):
                    here += item.frames if isinstance(item, Lost) else len(item.infos)
                    yield item
            except OSError as error:
                raise SourceError(f"{segment.path}: {error.strerror or error}") from error
            if below is not None and here < below:
                yield Lost(below - here)
                here = below

    def append(self, segment: Path, header: Header, groups: list[Group]) -> None:
        """Add to a segment, which is begun where it is not there; on the disk when it returns.

        Raises:
            OSError: it cannot be written.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        new = not segment.exists()
        data = [framed(header.to_bytes())] if new else []
        data += [framed(group.to_bytes(_order(header.kind.layout, group))) for group in groups]
        descriptor = os.open(segment, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        try:
            write(descriptor, b"".join(data))
        finally:
            os.close(descriptor)
        if new:
            sync_folder(self.folder)

    def segment(self, begin: int, epoch: int) -> Path:
        """Where the frames from number `begin` on lie, of a writer of that epoch."""
        return self.folder / f"{begin:010d}-{epoch:06d}.kept"

    def cut(self, frames: int) -> None:
        """Leave its first frames alone, and nothing of what was written behind them.

        Raises:
            RuntimeFailure: they are not all there.
            OSError: it cannot be cut.
        """
        for segment in self._all():
            if segment.begin >= frames:
                segment.path.unlink()
        here = 0
        if segments := self.segments():
            here = _shortened(segments[-1], frames)
        if here != frames:
            raise RuntimeFailure(
                f"{self.folder} holds {here} kept frames, and {frames} were committed; put back "
                "what was taken away, or take --fresh, which keeps all anew"
            )

    def remove(self) -> None:
        """All of it. Raises OSError."""
        for segment in self._all():
            segment.path.unlink()
        if self.folder.is_dir() and not os.listdir(self.folder):
            self.folder.rmdir()

    def _all(self) -> list[Segment]:
        names = os.listdir(self.folder) if self.folder.is_dir() else []
        return [
            Segment(self.folder / name, int(match[1]), int(match[2]))
            for name in names
            if (match := _NAME.fullmatch(name))
        ]


def _order(layout: Layout, group: Group) -> Order:
    """Codes of one component are alike, and lie first."""
    if not group.pictures.size:
        return Order(layout.components, 0)
    high, row = group.pictures.shape[1:3]
    return Order(layout.components, layout.code_bytes(layout.grid_hw((high, row))))


def _group(data: bytes | None) -> Group | None:
    if data is None:
        return None
    try:
        return Group.from_bytes(data)
    except ValueError:
        return None


def _unread(segment: Segment, first: int, below: int | None) -> Iterator[Group | Lost]:
    """What lies in a segment of the frames from `first` on. A torn end is not told, because a
    writer that was killed leaves that behind; of damage at the end of the last segment nobody
    knows how much it was."""
    here = max(first, segment.begin)
    if here > first:
        yield Lost(here - first)
    is_damaged = False  # what was looked at last
    for found, group in segment.groups():
        is_damaged = group is None and not found.torn
        if group is None or group.after < here or (group.after == here and not group.ended):
            continue
        if below is not None and group.before >= below:
            return  # by a writer that was thought dead
        if group.before > here:
            yield Lost(group.before - here)
            here = group.before
        part = group.part(here, group.after if below is None else below)
        if part.infos or part.ended:
            yield part
            here = part.after
    if is_damaged and below is None:
        yield Lost(1, least=True)


def _shortened(segment: Segment, frames: int) -> int:
    """Cut a segment behind that many frames of the session; how many there are."""
    here = segment.begin
    for found, group in segment.groups():
        if not found.offset:
            continue  # a header that is damaged is left as it is
        if group is None or group.before != here or group.after > frames:
            os.truncate(segment.path, found.offset)
            break
        here = group.after
    return here
