"""A decode process that comes to a bad end says why."""

from __future__ import annotations

import os
import time
from pathlib import Path
from random import Random

import pytest

from pipeline.decode.live import LiveSupervisor
from pipeline.stream.chunk import Chunk, Trouble
from pipeline.stream.spec import StreamSpec
from pipeline.testing import ManualClock

NO_MARK = {"position": "7"}  # a cursor of no release: reading begins with a KeyError


@pytest.fixture
def broken(spec, tmp_path: Path) -> StreamSpec:
    """A camera whose reading thread fails."""
    return spec(tmp_path / "x.ts", live=True, session="", cursor=NO_MARK)


def is_dead(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"


@pytest.mark.slow
def test_a_reading_thread_that_fails_takes_its_process_with_it(
    host, next_chunk, broken: StreamSpec
) -> None:
    """Else it would look like a camera that says nothing."""
    host.open(broken)
    (trouble,) = next_chunk(host).entries
    assert isinstance(trouble, Trouble)
    assert trouble.kind == "crashed"
    assert "ended with code 1" in trouble.detail
    assert trouble.detail.endswith("KeyError: 'mark'")


@pytest.mark.slow
def test_the_last_words_of_a_process_that_is_killed_are_kept(broken: StreamSpec) -> None:
    clock = ManualClock(time.monotonic())
    supervisor = LiveSupervisor(broken, clock, Random(1))
    assert supervisor.pid is not None
    while not is_dead(supervisor.pid):
        os.sched_yield()
    clock.advance(1000)
    supervisor.pass_time()
    (chunk,) = supervisor.pop()
    assert isinstance(chunk, Chunk)
    (trouble,) = chunk.entries
    assert isinstance(trouble, Trouble)
    assert trouble.kind == "stalled"
    assert trouble.detail.startswith("no sign of life for 60 s: ")
    assert trouble.detail.endswith("KeyError: 'mark'")
    supervisor.close()
