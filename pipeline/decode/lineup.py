"""Frames in a row, and what is to be told between them: bounded, however long the row waits.

Of what is told in front of one frame each kind is told once: losses and drops are summed up, breaks
of one reason are one. So a row holds a few notes per frame, and dropping the oldest frame takes the
same time however much was told before it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Generic, TypeVar

from pipeline.stream.chunk import End, Fault, Gap, Shot

Frame = TypeVar("Frame")
Note = Gap | Fault | End | Shot


class Lineup(Generic[Frame]):
    """Items in order; a frame is a sample, or a run of them."""

    def __init__(self) -> None:
        self._frames: deque[tuple[list[Note], Frame]] = deque()  # each with what is told before it
        self._last: list[Note] = []  # after all of them

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
            _tell(self._last, [item])
        else:
            self._frames.append((self._last, item))
            self._last = []

    def pop(self) -> list[Frame | Note]:
        """Take the oldest frame with what is told before it; where there is none, all notes."""
        if self._frames:
            notes, frame = self._frames.popleft()
            return [*notes, frame]
        notes, self._last = self._last, []
        return [*notes]

    def drop(self) -> None:
        """The oldest frame goes; what is told before it stays, in front of the next."""
        notes, _ = self._frames.popleft()
        later = self._frames[0][0] if self._frames else self._last
        _tell(notes, later)
        later[:] = notes

    def shorten(self, frame: Frame) -> None:
        """`frame` is what is left of the oldest one."""
        self._frames[0] = (self._frames[0][0], frame)


def _tell(notes: list[Note], more: Iterable[Note]) -> None:
    """Add to notes, each with the one before of its kind."""
    for note in more:
        for place, known in enumerate(notes):
            if (both := _together(known, note)) is not None:
                notes[place] = both
                break
        else:
            notes.append(note)


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
