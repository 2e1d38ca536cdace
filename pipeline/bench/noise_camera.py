"""A camera that costs nothing: pictures of noise at the rate that is sampled, no decoding.

Speaks what `pipeline.decode.child` speaks: orders in, messages out, signs of life in between. Its
time is handed in; it never waits.
"""

from __future__ import annotations

import time
import zlib
from fractions import Fraction
from functools import cache

import numpy as np
from numpy.typing import NDArray

from operators.frames import FrameInfo
from pipeline.decode.answers import BEAT_S
from pipeline.decode.buffer import Buffer
from pipeline.decode.slate import Note, Slate
from pipeline.decode.track import Sample
from pipeline.decode.wire import Message, pack, write_all
from pipeline.stream.chunk import Counts, End, Entry
from pipeline.stream.spec import StreamSpec

SOURCE_HW = (720, 720)
MICROSECONDS = Fraction(1, 1_000_000)


class NoiseCamera:
    """One stream: its frames fall due, and go out when they are asked for."""

    def __init__(self, spec: StreamSpec, answers_fd: int, slate_fd: int, now_s: float) -> None:
        """
        Args:
            spec: its first sampling says how many frames a second.
            answers_fd: where messages go; blocking.
            slate_fd: where signs of life go.
            now_s: on the monotonic clock.
        """
        self._spec = spec
        self._fd = answers_fd
        self._slate = Slate(slate_fd)
        self._period_s = 1 / float(spec.samplings[0].value or 1)
        self._buffer = Buffer(spec)
        self._session = str(_wall_us())
        self._frames = 0
        self._waiting = False  # frames for the next request
        self._asked = False
        # A thousand cameras do not take their pictures in the same moment.
        self._frame_s = now_s + zlib.crc32(spec.stream.encode()) / 2**32 * self._period_s
        self._beat_s = now_s
        self._pixels = _noise(spec.size.of(SOURCE_HW))
        self._send("news")  # it has begun

    @property
    def due_s(self) -> float:
        """When `pass_time` has something to do."""
        return min(self._frame_s, self._beat_s)

    def request(self) -> None:
        """Somebody waits for a chunk."""
        self._asked = True
        self._serve()

    def pass_time(self, now_s: float) -> None:
        """Take what pictures are due, and give a sign of life as often as a real one does."""
        while self._frame_s <= now_s:
            self._frame_s += self._period_s
            self._take_picture()
        self._serve()
        if self._beat_s <= now_s:
            self._beat_s = now_s + BEAT_S
            self._note()

    def stop(self) -> None:
        """Hand over what is there, and end."""
        self._buffer.close()
        while entries := self._buffer.take(0):
            self._send("news", entries)
        end = End(self._spec.stream, "stopped", decoded=self._frames, sampled=self._frames)
        self._send("news", (end,))

    def _take_picture(self) -> None:
        self._frames += 1
        now_us = _wall_us()
        info = FrameInfo(
            self._spec.stream,
            self._session,
            str(self._frames),
            self._frames,
            MICROSECONDS,
            now_us,
            now_us,
            SOURCE_HW,
            clock="start-time",
            epoch=self._spec.epoch,
        )
        self._buffer.put(Sample(info, self._pixels, 1, {"sampled": self._frames}))
        self._waiting = True

    def _serve(self) -> None:
        if self._asked and self._waiting and (entries := self._buffer.take(BEAT_S)):
            self._asked = self._waiting = False
            self._send("chunk", entries)

    def _send(self, kind: str, entries: tuple[Entry, ...] = ()) -> None:
        self._note()
        write_all(self._fd, pack(Message(kind, entries)))

    def _note(self) -> None:
        self._slate.write(Note(time.monotonic(), counts=Counts(self._frames, self._frames)))


@cache
def _noise(size_hw: tuple[int, int]) -> NDArray[np.uint8]:
    """uint8 RGB `[H, W, 3]`; noise, so that nothing on its way can make it smaller."""
    return np.random.default_rng(0).integers(0, 256, (*size_hw, 3), np.uint8)


def _wall_us() -> int:
    return time.time_ns() // 1000
