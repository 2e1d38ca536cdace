"""Plays a stream of an archive: a spec in, what was kept of its frames, breaks and end out.

Sessions in the order of their first frames, each from its first frame to its last; where frames,
sessions and breaks lie is as the run that kept them had it. Deterministic. Opens no media.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.archive.archive import Archive
from pipeline.archive.group import Group
from pipeline.archive.header import Header
from pipeline.archive.rules import masks
from pipeline.archive.session import Lost, Session
from pipeline.decode.collector import Item
from pipeline.decode.track import Sample
from pipeline.errors import SourceError
from pipeline.media.retry import Wait, sleep
from pipeline.stream.chunk import Counts, Cursor, End, Fault, Gap
from pipeline.stream.spec import StreamSpec


class Archived:
    """One stream, from its cursor to its end."""

    def __init__(self, spec: StreamSpec, wall_us: Callable[[], int], wait: Wait = sleep) -> None:
        """
        Args:
            spec: what to play; `url` is the stream's folder.
            wall_us: clock of the ingest times, microseconds since the epoch.
            wait: not needed here: a disk is not asked again.
        """
        self._spec = spec
        self._wall_us = wall_us
        self._counts = spec.counts
        self._open = False  # the last session has no end
        # Position of the last frame that was computed; "": it is lost. None: nothing came yet.
        self._computed: str | None = (spec.cursor or {}).get("computed")

    def items(self) -> Iterator[Item | None]:
        """Everything in order, the End last."""
        try:
            for header, session, first in self._sessions():
                yield from self._play(header, session, first)
        except SourceError as error:
            outcome = "degraded" if self._counts.decoded else "rejected"
            yield self.end(outcome, str(error))
        else:
            yield self.end("ok")

    def end(self, outcome: str, detail: str = "") -> End:
        """The last entry: `ok` becomes what the losses make of it. A session without an end may
        grow, and a later run goes on."""
        counts = self._counts
        judged, why = counts.judged(outcome, damaged=False)
        return End(
            self._spec.stream,
            judged,
            detail or why,
            counts.decoded,
            counts.lost,
            unfinished=self._open,
            sampled=counts.sampled,
        )

    def _sessions(self) -> Iterator[tuple[Header, Session, int]]:
        """Those that are to be played, and the frame from which on each is."""
        folder = Path(self._spec.url)
        found = Archive(folder.parent.parent).sessions(folder.name)
        cursor = self._spec.cursor
        if cursor is None:
            yield from ((header, session, 0) for header, session in found)
            return
        names = [header.session for header, _ in found]
        if cursor["session"] not in names:
            raise SourceError(f"session {cursor['session']} is not kept any more")
        at = names.index(cursor["session"])
        self._check(found[at][1], cursor)
        yield (*found[at], cursor["index"])
        yield from ((header, session, 0) for header, session in found[at + 1 :])

    def _check(self, session: Session, cursor: Cursor) -> None:
        """The frame of the cursor is where it was."""
        first = next(session.items(cursor["index"] - 1), None)
        if not isinstance(first, Group) or first.infos[0].position != cursor["position"]:
            raise SourceError(f"has changed: frame {cursor['position']} is not where it was")

    def _play(self, header: Header, session: Session, first: int) -> Iterator[Item | None]:
        wanted = masks(header.samplings, self._spec.samplings)
        self._open = True
        for item in session.items(first):
            if isinstance(item, Lost):
                count = f"at least {item.frames}" if item.least else f"{item.frames}"
                what = f"session {header.session}: {count} kept frames are damaged or gone"
                yield from self._lose(what, item.frames)
            else:
                yield from self._frames(item, wanted)
                self._open = not item.ended
            yield None
        if self._open:
            what = f"session {header.session} has no end: it is being kept still, or was broken off"
            yield Fault(self._spec.stream, "unended", what)

    def _frames(self, group: Group, wanted: Callable[[int], int]) -> Iterator[Item]:
        breaks = dict(group.breaks)
        for row, info in enumerate(group.infos):
            if row in breaks:
                yield Gap(self._spec.stream, breaks[row])
            taken, repeats = wanted(group.taken[row]), group.repeated(row)
            if taken and repeats and repeats != self._computed:
                yield from self._lose(f"frame {info.position} repeats {repeats}, which is lost", 1)
                continue
            self._counts += Counts(decoded=1, sampled=bool(taken))
            if not taken:
                continue
            if not repeats:
                self._computed = info.position
            now_us, epoch = self._wall_us(), self._spec.epoch
            cursor: Cursor = {
                "session": info.session,
                "position": info.position,
                "index": group.before + row + 1,
                "decoded": self._counts.decoded,
                "sampled": self._counts.sampled,
                "lost": self._counts.lost,
                "computed": self._computed,
            }
            own = replace(info, stream=self._spec.stream, ingest_time_us=now_us, epoch=epoch)
            yield Sample(own, _picture(group, row), taken, cursor, repeats=repeats)

    def _lose(self, what: str, frames: int) -> Iterator[Item]:
        """Frames that were kept; what comes next is behind a break, which is told once."""
        self._counts += Counts(lost=frames)
        yield Fault(self._spec.stream, "decode", what, frames)
        if self._computed != "":
            yield Gap(self._spec.stream, "decode")
        self._computed = ""


def _picture(group: Group, row: int) -> NDArray[np.uint8]:
    """Of a frame; of one that repeats another nobody looks at it."""
    if group.repeated(row):
        return np.zeros(group.pictures.shape[1:], np.uint8)
    return group.picture(row)
