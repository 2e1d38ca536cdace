"""Frames in a row, and what is to be told between them: bounded, however long the row waits.

Of what is told in front of one frame each kind is told once: losses and drops are summed up, breaks
of one reason are one; of shots the newest are kept, and the others counted. So a row holds a few
notes per frame, and dropping the oldest frame takes the same time however much was told before it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from typing import Generic, TypeVar

from pipeline.stream.chunk import UNTOLD, End, Fault, Gap, Shot

Frame = TypeVar("Frame")
Note = Gap | Fault | End | Shot

MOST_SHOTS = 1000  # of a live stream that wait before one frame; 1.2 MB


class Lineup(Generic[Frame]):
    """Items in order; a frame is a sample, or a run of them."""

    def __init__(self, most_shots: int | None = None) -> None:
        """`most_shots`: that are kept before one frame; None: all, where frames are never dropped
        and no more wait than there is room for."""
        self._most_shots = most_shots
        self._frames: deque[tuple[_Notes, Frame]] = deque()  # each with what is told before it
        self._last = _Notes(most_shots)  # after all of them

    def __bool__(self) -> bool:
        return bool(self._frames or self._last)

    def __iter__(self) -> Iterator[Frame]:
        """The frames alone."""
        return (frame for _, frame in self._frames)

    @property
    def first(self) -> Frame | None:
        """The oldest frame."""
        return self._frames[0][1] if self._frames else None

    def add(self, item: Frame | Note) -> None:
        """Put the newest item in."""
        if isinstance(item, Note):
            self._last.add(item)
        else:
            self._frames.append((self._last, item))
            self._last = _Notes(self._most_shots)

    def pop(self) -> list[Frame | Note]:
        """Take the oldest frame with what is told before it; where there is none, all notes."""
        if self._frames:
            notes, frame = self._frames.popleft()
            return [*notes.told(), frame]
        notes, self._last = self._last, _Notes(self._most_shots)
        return [*notes.told()]

    def drop(self) -> None:
        """The oldest frame goes; what is told before it stays, in front of the next."""
        notes, _ = self._frames.popleft()
        if self._frames:
            later, frame = self._frames[0]
            notes.extend(later)
            self._frames[0] = (notes, frame)
        else:
            notes.extend(self._last)
            self._last = notes

    def shorten(self, frame: Frame) -> None:
        """`frame` is what is left of the oldest one."""
        self._frames[0] = (self._frames[0][0], frame)


class _Notes:
    """What is told at one place, in order."""

    def __init__(self, most_shots: int | None) -> None:
        self._most_shots = most_shots
        self._kept: list[Note] = []
        self._shots = 0  # of those
        self._dropped = 0  # shots that are not among them any more

    def __bool__(self) -> bool:
        return bool(self._kept)

    def add(self, note: Note) -> None:
        """One more, with the one before of its kind."""
        if isinstance(note, Shot):
            self._shots += 1
            if self._most_shots is not None and self._shots > self._most_shots:
                self._drop_oldest()
        else:
            for place, known in enumerate(self._kept):
                if (both := _together(known, note)) is not None:
                    self._kept[place] = both
                    return
        self._kept.append(note)

    def extend(self, later: _Notes) -> None:
        """With those of the next place."""
        self._dropped += later._dropped
        for note in later._kept:
            self.add(note)

    def told(self) -> list[Note]:
        """As entries, and how many shots are none of them."""
        if not self._dropped:
            return self._kept
        stream = next(one.stream for one in self._kept if isinstance(one, Shot))
        detail = f"{self._dropped} shots are not told: no more than {self._most_shots} may wait"
        return [Fault(stream, UNTOLD, detail), *self._kept]

    def _drop_oldest(self) -> None:
        place = next(at for at, one in enumerate(self._kept) if isinstance(one, Shot))
        del self._kept[place]
        self._shots -= 1
        self._dropped += 1


def _together(one: Note, other: Note) -> Note | None:
    """Both as one; None where they are of two kinds."""
    if isinstance(one, Fault) and isinstance(other, Fault) and one.kind == other.kind == "decode":
        return replace(one, lost=one.lost + other.lost)
    if not (isinstance(one, Gap) and isinstance(other, Gap)):
        return None
    if (one.reason, one.cause) != (other.reason, other.cause):
        return None
    by_rule = tuple(map(sum, zip(one.by_rule, other.by_rule, strict=True)))
    return replace(one, dropped=one.dropped + other.dropped, by_rule=by_rule)
