"""Which frames count as lost with a camera's decode process, and where the next one goes on."""

from __future__ import annotations

from fractions import Fraction
from random import Random

import numpy as np
import pytest

from operators.frames import FrameInfo
from pipeline.decode.live import LiveSupervisor
from pipeline.decode.wire import Message
from pipeline.stream.chunk import Counts, Frames, Trouble
from pipeline.stream.spec import StreamSpec
from pipeline.testing import ManualClock


class Scripted:
    """A decode process that says what it is told to, and dies."""

    messages: tuple[Message, ...] = ()
    started: list[StreamSpec]

    def __init__(self, spec: StreamSpec) -> None:
        self.started.append(spec)
        self.last_words = ""

    def request(self) -> None:
        """Nothing more comes of it."""

    def read(self) -> tuple[list[Message], bool]:
        return [*self.messages], False

    def kill(self) -> str:
        return "the decode process died of SIGKILL"


@pytest.fixture
def scripted() -> type[Scripted]:
    Scripted.started = []
    return Scripted


def run(count: int, mark: list[int]) -> Frames:
    infos = tuple(
        FrameInfo("s", "x", str(number), number, Fraction(1, 10), number, 7, (10, 20), "media", 1)
        for number in range(count)
    )
    pixels = np.zeros((count, 14, 14, 3), np.uint8)
    return Frames(infos, pixels, (1,) * count, {"mark": mark}, arrived_s=(0.0,) * count)


def test_what_counts_as_lost_is_not_read_again(scripted: type[Scripted]) -> None:
    """It has handed two frames over and holds three more: the next goes on behind all five."""
    scripted.messages = (Message("chunk", (run(2, [2]),), counts=Counts(5, 5), mark=[5]),)
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
