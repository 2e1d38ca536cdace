"""What goes through a decode process's pipe, and what is only written down."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator

import pytest

from pipeline.decode.answers import Answers
from pipeline.decode.slate import Slate
from pipeline.decode.wire import Message, Unpacker
from pipeline.log_queue import LogQueue
from pipeline.stream.chunk import Counts, End


class Parent:
    """The other end of the pipe, and the slate."""

    def __init__(self) -> None:
        self._read_fd, self.write_fd = os.pipe()
        self._slate_fd = os.memfd_create("slate")
        self.slate = Slate(self._slate_fd)

    def read(self) -> list[Message]:
        """All that has come."""
        os.set_blocking(self._read_fd, False)
        try:
            return Unpacker().feed(os.read(self._read_fd, 1 << 16))
        except BlockingIOError:
            return []

    def close(self) -> None:
        for fd in (self._read_fd, self.write_fd, self._slate_fd):
            os.close(fd)


@pytest.fixture
def parent() -> Iterator[Parent]:
    parent = Parent()
    yield parent
    parent.close()


def test_a_sign_of_life_wakes_nobody(parent: Parent) -> None:
    answers = Answers(parent.write_fd, parent.slate, LogQueue())
    answers.beat(Counts(9, 4), [None, 0])
    assert parent.read() == []
    note = parent.slate.read()
    assert (note.counts, note.mark) == (Counts(9, 4), [None, 0])
    assert note.alive_s > 0
    assert note.memory_bytes > 1 << 20


def test_what_was_logged_is_said_with_it(parent: Parent) -> None:
    logs = LogQueue()
    logs.emit(logging.LogRecord("reel", logging.WARNING, "", 0, "no clock", None, None))
    Answers(parent.write_fd, parent.slate, logs).beat()
    (message,) = parent.read()
    assert (message.kind, message.entries) == ("news", ())
    assert [line.message for line in message.lines] == ["no clock"]


def test_what_is_handed_over_has_been_counted(parent: Parent) -> None:
    answers = Answers(parent.write_fd, parent.slate, LogQueue())
    for number, say in enumerate((answers.chunk, answers.news), 1):
        say((End("s", "ok"),), Counts(number, number))
        assert parent.slate.read().counts == Counts(number, number)
    assert [message.kind for message in parent.read()] == ["chunk", "news"]


def test_what_the_reading_thread_has_written_down_is_not_taken_back(parent: Parent) -> None:
    """Who answers may have looked before it."""
    answers = Answers(parent.write_fd, parent.slate, LogQueue())
    answers.reach((Counts(9, 5), [9]))
    answers.news((End("s", "ok"),), Counts(7, 4), [7])
    assert (parent.slate.read().counts, parent.slate.read().mark) == (Counts(9, 5), [9])
