"""A recording that is open at some frame, and the frames behind it, as they are asked for."""

from __future__ import annotations

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
        assert spec.at is not None
        self.over: str | None = None
        self._spec = spec
        self._asked = False
        self._numbers = {spec.at[1]: 0}  # position -> place in the order
        self._last: FrameInfo | None = None
        self._wanted = AHEAD_FRAMES
        self._host = DecodeHost()
        self._host.open(spec)

    @property
    def ahead(self) -> bool:
        """Nobody has to wait for more of it yet."""
        return self.over is not None or len(self._numbers) > self._wanted

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
            self._numbers.setdefault(info.position, len(self._numbers))
            self._last = info
        return found

    def seen(self, position: str) -> None:
        """Somebody looks at that frame, and may want the ones behind it."""
        number = self._numbers.get(position, 0)
        self._wanted = max(self._wanted, number + AHEAD_FRAMES)

    def reaches(self, spec: StreamSpec) -> bool:
        """Whether the frame that another specification begins with is soon to come."""
        assert spec.at is not None
        last, position = self._last, spec.at[1]
        if last is None or last.pts is None or not position.isdecimal() or self.over is not None:
            return False
        same = (spec.url, spec.session, spec.short_side) == (
            *(self._spec.url, self._spec.session),
            self._spec.short_side,
        )
        return same and 0 < (int(position) - last.pts) * last.time_base <= NEAR_S

    def close(self) -> None:
        """End its process."""
        self._host.close()
