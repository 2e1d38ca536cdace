"""When a camera's decode process is silent, which frames are lost with it, and where the next one
goes on."""

from __future__ import annotations

from fractions import Fraction
from random import Random
from typing import ClassVar

import numpy as np
import pytest

from operators.frames import FrameInfo
from pipeline.decode.live import LiveSupervisor
from pipeline.decode.slate import Note
from pipeline.decode.supervisor import START_S
from pipeline.decode.wire import Message
from pipeline.stream.chunk import Counts, Frames, Trouble
from pipeline.stream.spec import StreamSpec
from pipeline.testing import ManualClock


class Scripted:
    """A decode process that says what it is told to, and dies."""

    messages: tuple[Message, ...] = ()
    lives = False
    note = Note()
    started: ClassVar[list[StreamSpec]]

    def __init__(self, spec: StreamSpec) -> None:
        self.started.append(spec)
        self.last_words = ""

    def request(self) -> None:
        """Nothing more comes of it."""

    def read(self) -> tuple[list[Message], bool]:
        return [*self.messages], self.lives

    def look(self) -> Note:
        return self.note

    def kill(self) -> str:
        return "the decode process died of SIGKILL"


@pytest.fixture
def scripted() -> type[Scripted]:
    class Fresh(Scripted):
        started: ClassVar[list[StreamSpec]] = []

    return Fresh


def run(count: int, mark: list[int]) -> Frames:
    infos = tuple(
        FrameInfo("s", "x", str(number), number, Fraction(1, 10), number, 7, (10, 20), "media", 1)
        for number in range(count)
    )
    pixels = np.zeros((count, 14, 14, 3), np.uint8)
    return Frames(infos, pixels, (1,) * count, {"mark": mark}, arrived_s=(0.0,) * count)


def test_what_counts_as_lost_is_not_read_again(scripted: type[Scripted]) -> None:
    """It has handed two frames over and holds three more: the next goes on behind all five."""
    scripted.messages = (Message("chunk", (run(2, [2]),)),)
    scripted.note = Note(counts=Counts(5, 5), mark=[5])
    clock = ManualClock()
    spec = StreamSpec("s", "rtsp://x", live=True)
    supervisor = LiveSupervisor(spec, clock, Random(1), launch=scripted)
    supervisor.request()
    supervisor.read()
    told = [entry for chunk in supervisor.pop() for entry in chunk.entries]
    assert [entry.lost for entry in told if isinstance(entry, Trouble)] == [3]
    clock.advance(60)
    supervisor.pass_time()
    assert [one.cursor for one in scripted.started] == [None, {"mark": [5]}]


def troubles(supervisor: LiveSupervisor) -> list[Trouble]:
    told = [entry for chunk in supervisor.pop() for entry in chunk.entries]
    return [entry for entry in told if isinstance(entry, Trouble)]


def test_silence_counts_from_the_last_note(scripted: type[Scripted]) -> None:
    """Nobody hears of a sign of life; it is looked for when silence would be too long."""
    scripted.messages, scripted.lives = (Message("news"),), True
    clock = ManualClock(100.0)
    spec = StreamSpec("s", "rtsp://x", live=True, stall_s=10.0)
    supervisor = LiveSupervisor(spec, clock, Random(1), launch=scripted)
    supervisor.read()
    assert supervisor.wake_s() == 110.0
    scripted.note = Note(alive_s=109.5, counts=Counts(7, 7))
    clock.advance(10.0)
    supervisor.pass_time()
    assert supervisor.wake_s() == 119.5
    clock.advance(9.25)
    supervisor.pass_time()
    assert troubles(supervisor) == []
    clock.advance(0.25)
    supervisor.pass_time()
    (trouble,) = troubles(supervisor)
    assert (trouble.kind, trouble.detail) == ("stalled", "no sign of life for 10 s")
    assert trouble.lost == 7
    assert supervisor.counts == Counts(7, 7, 7)


def test_one_that_has_said_nothing_yet_has_longer(scripted: type[Scripted]) -> None:
    clock = ManualClock(100.0)
    spec = StreamSpec("s", "rtsp://x", live=True, stall_s=10.0)
    supervisor = LiveSupervisor(spec, clock, Random(1), launch=scripted)
    clock.advance(START_S - 1.0)
    supervisor.pass_time()
    assert troubles(supervisor) == []
    clock.advance(1.0)
    supervisor.pass_time()
    assert [trouble.kind for trouble in troubles(supervisor)] == ["stalled"]
