"""Which pipes have something to read, whatever descriptors come back under other names."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing

import pytest

from pipeline.decode.pipes import Pipes


class Writer:
    """The two ends of a decode process's pipe."""

    def __init__(self) -> None:
        self.fd, self.write_fd = os.pipe()

    def die(self) -> None:
        os.close(self.fd)
        os.close(self.write_fd)


@pytest.fixture
def pipes() -> Iterator[Pipes]:
    with closing(Pipes()) as pipes:
        yield pipes


def test_only_those_that_have_written_are_ready(pipes: Pipes) -> None:
    writers = {name: Writer() for name in "abc"}
    pipes.watch(writers)
    pipes.watch(writers)  # nothing has changed
    assert pipes.ready(0) == []
    os.write(writers["b"].write_fd, b"x")
    assert pipes.ready(10) == ["b"]
    for writer in writers.values():
        writer.die()


def test_a_new_process_may_have_the_descriptor_of_a_dead_one(pipes: Pipes) -> None:
    dead = Writer()
    pipes.watch({"old": dead})
    dead.die()
    born = Writer()
    assert born.fd == dead.fd
    pipes.watch({"new": born, "old": None})
    os.write(born.write_fd, b"x")
    assert pipes.ready(10) == ["new"]
    born.die()


def test_the_same_stream_may_have_it(pipes: Pipes) -> None:
    dead = Writer()
    pipes.watch({"a": dead})
    dead.die()
    born = Writer()
    assert born.fd == dead.fd
    pipes.watch({"a": born})
    os.write(born.write_fd, b"x")
    assert pipes.ready(10) == ["a"]
    born.die()


def test_without_processes_it_waits_and_finds_nothing(pipes: Pipes) -> None:
    assert pipes.ready(0.01) == []
