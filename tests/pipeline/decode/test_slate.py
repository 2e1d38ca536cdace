"""Notes that are written over in turn: the newest whole one holds, whatever became of the other."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from pipeline.decode.slate import NOTE_BYTES, SLATE_BYTES, Note, Slate
from pipeline.media.hls_memory import REMEMBERED
from pipeline.stream.chunk import Counts

NOTES = [
    Note(1.5, 57 << 20, Counts(3, 2, 1), [None, 0]),
    Note(2.0, 58 << 20, Counts(9, 4, 1), [90000, 0, 7, 1 << 40]),
    Note(2.5, 58 << 20, Counts(12, 5, 1), None),
]


@pytest.fixture
def fd() -> Iterator[int]:
    fd = os.memfd_create("slate")
    yield fd
    os.close(fd)


def test_nothing_is_read_of_one_that_has_written_nothing(fd: int) -> None:
    assert Slate(fd).read() == Note()
    os.pwrite(fd, b"its last words", SLATE_BYTES)
    assert Slate(fd).read() == Note()


def test_the_newest_is_read(fd: int) -> None:
    writer, reader = Slate(fd), Slate(fd)
    for note in NOTES:
        writer.write(note)
        assert reader.read() == note


@pytest.mark.parametrize("whole", range(1, len(NOTES)))
def test_one_that_was_cut_short_leaves_the_one_before(fd: int, whole: int) -> None:
    writer, torn = Slate(fd), os.memfd_create("torn")
    other = Slate(torn)
    for note in NOTES[:whole]:
        writer.write(note)
        other.write(note)
    other.write(NOTES[whole])
    at = whole % 2 * NOTE_BYTES
    before, after = os.pread(fd, 200, at), os.pread(torn, 200, at)
    for cut in range(len(after.rstrip(b"\0"))):
        os.pwrite(fd, after[:cut] + before[cut:], at)
        assert Slate(fd).read() in (NOTES[whole - 1], NOTES[whole]), cut
    os.close(torn)


def test_there_is_room_for_the_longest_mark(fd: int) -> None:
    """A playlist may count its segments in numbers as long as Python reads any."""
    longest = Note(1.0, 0, Counts(), [1 << 33, 0, *[10**4299, (1 << 32) - 1] * REMEMBERED])
    Slate(fd).write(longest)
    assert Slate(fd).read() == longest
