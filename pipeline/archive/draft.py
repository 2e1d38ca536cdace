"""What of one session was computed and is not on the disk of an archive yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import groupby
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from operators.frames import FrameInfo
from pipeline.archive.group import Group

_SAID = ("session", "frames", "begin_us", "ended", "computed")

Picture = NDArray[np.uint8]
Shape = tuple[int, int, int]

_NOTHING: Shape = (0, 0, 3)


@dataclass(slots=True)
class Draft:
    """Of one session.

    Attributes:
        session: its name.
        frames: that are on the disk.
        begin_us: event time of the first, microseconds since the epoch.
        computed: position of the last frame that was computed; those that come repeat it.
        shape: of its picture.
        epoch: of the claim under which the newest came.
        segment, segment_begin: where the next ones go, and the frames before that; None: nowhere
            yet.
        ended: it is over.
        told: that stands on the disk, too.
    """

    session: str
    frames: int = 0
    begin_us: int = 0
    computed: str = ""
    shape: Shape = _NOTHING
    epoch: int = 0
    segment: Path | None = None
    segment_begin: int = 0
    ended: bool = False
    told: bool = False
    _rows: list[_Row] = field(default_factory=list)

    @classmethod
    def of(cls, said: Mapping[str, Any]) -> Self:
        """What `said` gave; format 1 said less."""
        own = {name: said[name] for name in _SAID if name in said}
        shape = tuple(said.get("shape", _NOTHING))
        return cls(**own, shape=shape, told=said["ended"])

    def said(self) -> dict[str, Any]:
        """What of it is on the disk, JSON values; all of it is."""
        return {name: getattr(self, name) for name in (*_SAID, "shape")}

    @property
    def has_news(self) -> bool:
        """Whether something is to be written."""
        return bool(self._rows) or (self.ended and not self.told)

    def add(self, info: FrameInfo, taken: int, picture: Picture, broke: str) -> None:
        """A frame that was computed.

        Args:
            info: of it.
            taken: which sampling rules took it.
            picture: `[h, W, 3]`.
            broke: why the stream broke before it; "": it did not.
        """
        high, wide, channels = picture.shape
        self.computed, self.shape = info.position, (high, wide, channels)
        self._rows.append(_Row(info, taken, self.shape, broke, picture=picture))

    def repeat(self, info: FrameInfo, taken: int) -> None:
        """A frame that shows what the last computed one did."""
        self._rows.append(_Row(info, taken, self.shape, repeats=self.computed))

    def groups(self) -> list[Group]:
        """What is to be written: frames of one size together; none there: an end alone."""
        found: list[Group] = []
        before = self.frames
        for shape, own in groupby(self._rows, key=lambda row: row.shape):
            rows = [*own]
            found.append(_group(before, rows, shape))
            before += len(rows)
        if self.ended:
            last = found.pop() if found else _group(before, [], self.shape)
            found.append(replace(last, ended=True))
        return found

    def written(self) -> None:
        """All of it is on the disk."""
        self.frames += len(self._rows)
        self.told = self.ended
        self._rows.clear()


@dataclass(frozen=True, slots=True)
class _Row:
    """One frame."""

    info: FrameInfo
    taken: int
    shape: Shape
    broke: str = ""
    picture: Picture | None = None
    repeats: str = ""


def _group(before: int, rows: list[_Row], shape: Shape) -> Group:
    pictures = [row.picture for row in rows if row.picture is not None]
    return Group(
        before,
        tuple(row.info for row in rows),
        tuple(row.taken for row in rows),
        np.stack(pictures) if pictures else np.empty((0, *shape), np.uint8),
        tuple((number, row.broke) for number, row in enumerate(rows) if row.broke),
        repeats=tuple(row.repeats for row in rows),
    )
