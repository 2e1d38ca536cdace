"""A session on disk: whatever was begun, torn, damaged or written by the dead, each frame is read
once."""

import os

import numpy as np
import pytest

from pipeline.archive.group import Group
from pipeline.archive.session import Lost, Session
from pipeline.errors import RuntimeFailure, SourceError


@pytest.fixture
def session(tmp_path):
    return Session(tmp_path / "cam1" / "first")


@pytest.fixture
def write(session, header):
    def write(begin, epoch, *groups):
        path = session.segment(begin, epoch)
        session.append(path, header(), list(groups))
        return path

    return write


def positions(session, first=0):
    return [
        int(info.position) // 5
        for item in session.items(first)
        if isinstance(item, Group)
        for info in item.infos
    ]


def lost(session):
    return [item.frames for item in session.items() if isinstance(item, Lost)]


def test_what_is_written_is_read(session, write, group, header):
    write(0, 1, group(0, 3, breaks=((1, "size"),)), group(3, 4, ended=True))
    first, last = session.items()
    assert session.header() == header()
    assert first.infos == group(0, 3).infos
    assert first.taken == group(0, 3).taken
    assert np.array_equal(first.pictures, group(0, 3).pictures)
    assert first.breaks == ((1, "size"),)
    assert (first.ended, last.ended) == (False, True)


@pytest.mark.parametrize("first", range(8))
def test_reading_begins_anywhere(session, write, group, first):
    write(0, 1, group(0, 3), group(3, 5))
    write(5, 2, group(5, 8))
    assert positions(session, first) == list(range(first, 8))


def test_an_end_may_come_without_frames(session, write, group):
    end = Group(3, (), (), np.empty((0, 0, 0, 3), np.uint8), ended=True)
    write(0, 1, group(0, 3), end)
    assert [item.ended for item in session.items()] == [False, True]
    assert [item.ended for item in session.items(3)] == [True]


def test_what_was_not_committed_is_replaced(session, write, group):
    """Killed behind a write and before its commit: the resume begins where the commit was."""
    write(0, 1, group(0, 3), group(3, 6))
    session.cut(3)
    assert positions(session) == [0, 1, 2]
    write(3, 2, group(3, 7))
    assert positions(session) == list(range(7))
    assert lost(session) == []


def test_a_resume_that_was_killed_at_once_leaves_nothing(session, write, group):
    write(0, 1, group(0, 3))
    later = write(3, 2, group(3, 5))
    session.cut(3)
    assert not later.exists()
    assert positions(session) == [0, 1, 2]


def test_a_writer_that_was_thought_dead_changes_nothing(session, write, group):
    write(0, 1, group(0, 3), group(3, 6))
    session.cut(3)
    write(3, 2, group(3, 5))
    write(0, 1, group(6, 9))  # it goes on where it was
    assert positions(session) == list(range(5))
    write(3, 2, group(5, 8))
    assert positions(session) == list(range(8))


def test_nor_does_one_that_begins_another_segment_among_those_of_its_successor(
    session, write, group
):
    """Whose frames lie before, around and behind it."""
    write(0, 1, group(0, 3), group(3, 6))
    session.cut(3)
    write(3, 2, group(3, 9))
    write(5, 1, group(5, 7, ended=True))
    assert positions(session) == list(range(9))
    write(9, 2, group(9, 10))
    write(9, 1, group(9, 12))
    write(10, 1, group(10, 12))
    assert positions(session) == list(range(10))
    assert lost(session) == []
    session.cut(9)
    write(9, 3, group(9, 11, ended=True))
    assert positions(session) == list(range(11))
    assert [item.ended for item in session.items()] == [False, False, True]


def test_a_torn_end_is_no_loss(session, write, group):
    path = write(0, 1, group(0, 3), group(3, 6))
    whole = path.stat().st_size
    for size in (whole - 1, whole - 150):
        os.truncate(path, size)
        assert positions(session) == [0, 1, 2]
        assert lost(session) == []
    session.cut(3)
    write(3, 2, group(3, 6))
    assert positions(session) == list(range(6))


def test_frames_that_are_damaged_are_counted_and_the_others_read(session, write, group):
    path = write(0, 1, group(0, 3))
    begin = path.stat().st_size
    write(0, 1, group(3, 6), group(6, 8))
    with path.open("r+b") as file:
        file.seek(begin + 40)
        file.write(b"\xff\xff\xff")
    assert positions(session) == [0, 1, 2, 6, 7]
    assert lost(session) == [3]


def flip(path, at):
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize("where", ["length", "data"])
def test_damage_at_the_end_is_a_loss_of_nobody_knows_how_much(session, write, group, where):
    path = write(0, 1, group(0, 3))
    begin = path.stat().st_size
    write(0, 1, group(3, 6))
    flip(path, begin if where == "length" else path.stat().st_size - 1)
    assert positions(session) == [0, 1, 2]
    assert [item for item in session.items() if isinstance(item, Lost)] == [Lost(1, least=True)]
    assert [item for item in session.items(3)] == [Lost(1, least=True)]


def test_behind_a_damaged_length_the_rest_is_a_loss(session, write, group):
    path = write(0, 1, group(0, 3))
    begin = path.stat().st_size
    write(0, 1, group(3, 6), group(6, 8))
    flip(path, begin)
    assert positions(session) == [0, 1, 2]
    assert [item.least for item in session.items() if isinstance(item, Lost)] == [True]
    write(8, 2, group(8, 9))
    assert positions(session) == [0, 1, 2, 8]
    assert [item for item in session.items() if isinstance(item, Lost)] == [Lost(5)]


def test_damage_at_the_beginning_of_a_later_segment_loses_what_cannot_be_told_apart(
    session, write, group
):
    write(0, 1, group(0, 3))
    later = write(3, 2, group(3, 6))
    flip(later, 20)  # what it says of itself, and the first segment says that too
    assert positions(session) == list(range(6))
    assert lost(session) == []
    whole = later.read_bytes()
    flip(later, 0)
    assert positions(session) == [0, 1, 2]
    assert lost(session) == [1]
    with pytest.raises(RuntimeFailure, match="holds 3 kept frames, and 6 were committed"):
        session.cut(6)
    assert len(later.read_bytes()) == len(whole)


@pytest.mark.parametrize("size", [0, 5, 100])
def test_a_torn_first_write_holds_nothing(session, write, group, size):
    assert session.header() is None
    path = write(0, 1, group(0, 3))
    assert session.header() is not None
    os.truncate(path, size)
    assert session.header() is None
    write(3, 2, group(3, 6))
    with pytest.raises(SourceError, match=f"{path}: its beginning is damaged"):
        session.header()


def test_a_segment_that_was_taken_away_is_counted(session, write, group):
    write(0, 1, group(0, 3))
    middle = write(3, 2, group(3, 6))
    write(6, 3, group(6, 8))
    middle.unlink()
    assert positions(session) == [0, 1, 2, 6, 7]
    assert lost(session) == [3]


def test_a_resume_without_what_was_committed_is_refused(session, write, group):
    write(0, 1, group(0, 3))
    with pytest.raises(RuntimeFailure, match="holds 3 kept frames, and 5 were committed"):
        session.cut(5)
    session.remove()
    with pytest.raises(RuntimeFailure, match="holds 0 kept frames"):
        session.cut(5)


def test_another_file_is_no_segment(session, write, group):
    path = write(0, 1, group(0, 3))
    path.write_bytes(b"film" * 100)
    with pytest.raises(SourceError, match="damaged"):
        session.header()
