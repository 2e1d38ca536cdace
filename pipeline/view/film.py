"""A recording that is open at some frame, and the frames behind it, as they are asked for."""

from __future__ import annotations

from collections import deque

from operators.frames import FrameInfo
from pipeline.decode.host import DecodeHost
from pipeline.stream.chunk import End, Frames
from pipeline.stream.spec import StreamSpec
from pipeline.view.picture import Pixels

NEAR_S = 1.0  # a frame so little ahead is decoded up to; others are looked for
AHEAD_FRAMES = 32  # that are decoded before anybody asks


class Film:
    """One decode process.

    Attributes:
        over: why nothing more comes; None: more does.
    """

    def __init__(self, spec: StreamSpec) -> None:
        """`spec.at` says where it begins."""
        assert spec.at
        self.over: str | None = None
        self._spec = spec
        self._asked = False
        self._first = spec.at[1]
        self._last: FrameInfo | None = None
        self._came: deque[str] = deque(maxlen=AHEAD_FRAMES)  # positions of the last frames
        self._host = DecodeHost()
        self._host.open(spec)

    def read(self, wait_s: float) -> list[tuple[FrameInfo, Pixels]]:
        """The next frames, if they come within that time."""
        if self.over is not None:
            return []
        if not self._asked:
            self._host.request(self._spec.stream)
        chunks = self._host.wait(wait_s)
        self._asked = not chunks
        found: list[tuple[FrameInfo, Pixels]] = []
        for entry in (entry for chunk in chunks for entry in chunk.entries):
            if isinstance(entry, Frames):
                found += zip(entry.infos, entry.pixels, strict=True)
            elif isinstance(entry, End):
                self.over = entry.detail or "the recording ends before it"
        for info, _ in found:
            self._came.append(info.position)
            if self._last is None or _pts(info) > _pts(self._last):  # first come some before it
                self._last = info
        return found

    def is_behind(self, position: str) -> bool:
        """Whether too few frames behind that one have come, so that who goes on would wait."""
        if self.over is not None or position not in self._came:
            return False
        return len(self._came) < AHEAD_FRAMES or self._came[0] != position

    def leads_to(self, position: str) -> bool:
        """Whether that frame is the first, or soon to come."""
        if self._last is None:
            return position == self._first
        if self.over is not None or not position.isdecimal():
            return False
        return 0 < (int(position) - _pts(self._last)) * self._last.time_base <= NEAR_S

    def close(self) -> None:
        """End its process."""
        self._host.close()


def _pts(info: FrameInfo) -> int:
    return 0 if info.pts is None else info.pts
