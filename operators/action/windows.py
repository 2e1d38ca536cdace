"""Sliding windows over one stream's frame features, with a memory that survives a restart.

Frames in order in -> windows out. Windows start at multiples of the stride, counted from the first
frame; a short last one comes only where frames would else be in no window. Knows no clock.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from operators.frames import FrameInfo
from operators.result import canonical_json

_FORMAT = 1
_DTYPE = "<f4"

Vector = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Window:
    """Consecutive frames.

    Attributes:
        infos: one per frame.
        vectors: float32 `[T, D]`, fewer rows where it is partial.
        partial: shorter than the others.
    """

    infos: tuple[FrameInfo, ...]
    vectors: Vector
    partial: bool


class SlidingWindow:
    """The frames of one stream that windows still to come will hold: fewer than `frames`."""

    def __init__(self, frames: int, stride: int) -> None:
        """
        Args:
            frames: T, length of a window.
            stride: frames from the start of a window to the next one's.

        Raises:
            ValueError: a stride above the length, which would leave frames in no window.
        """
        if not 1 <= stride <= frames:
            raise ValueError(f"want 1 <= stride <= frames, got stride {stride}, frames {frames}")
        self._frames = frames
        self._stride = stride
        self._kept: list[tuple[FrameInfo, Vector]] = []
        self._covered = 0  # of the kept frames, so many were in a window already
        self._last: Vector | None = None  # of the newest frame, which may be repeated

    def push(self, info: FrameInfo, vector: Vector) -> Window | None:
        """Take the next frame; the window that it completes, if any.

        Args:
            info: who it is.
            vector: its features, float32 `[D]`; copied.
        """
        self._last = np.array(vector, dtype=np.float32)
        self._kept.append((info, self._last))
        if len(self._kept) < self._frames:
            return None
        window = self._window(partial=False)
        self._kept = self._kept[self._stride :]
        self._covered = len(self._kept)
        return window

    def repeat(self, info: FrameInfo) -> Window | None:
        """Take a frame that looks like the one before; the window that it completes, if any. Behind
        a `flush` there is none before, and nothing is taken."""
        return None if self._last is None else self.push(info, self._last)

    def flush(self) -> Window | None:
        """Forget all frames; the short last window, if frames were in none yet."""
        window = self._window(partial=True) if len(self._kept) > self._covered else None
        self._kept, self._covered, self._last = [], 0, None
        return window

    def snapshot(self) -> bytes:
        """The memory: a line of JSON, then the vectors as little-endian float32; that of the last
        frame also where no window will hold it."""
        header = {
            "format": _FORMAT,
            "frames": self._frames,
            "stride": self._stride,
            "covered": self._covered,
            "kept": [info.to_json() for info, _ in self._kept],
        }
        vectors = [vector for _, vector in self._kept]
        if not vectors and self._last is not None:
            vectors = [self._last]
        values = b"".join(vector.astype(_DTYPE).tobytes() for vector in vectors)
        return canonical_json(header) + b"\n" + values

    @classmethod
    def restored(cls, state: bytes, *, frames: int, stride: int) -> Self:
        """The window that was put away.

        Raises:
            ValueError: the state is of another format, length or stride, or damaged.
        """
        line, _, rest = state.partition(b"\n")
        try:
            header = json.loads(line)
            got = (header["format"], header["frames"], header["stride"])
            infos = [FrameInfo.from_json(plain) for plain in header["kept"]]
            vectors = np.frombuffer(rest, dtype=_DTYPE).reshape(len(infos) or 1, -1)
            covered = int(header["covered"])
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"a window's state is damaged: {error!r}") from error
        if got != (_FORMAT, frames, stride) or not 0 <= covered <= len(infos) < frames:
            raise ValueError(
                f"a window's state of format, frames, stride {got} with {len(infos)} frames, "
                f"{covered} of them covered, does not fit {(_FORMAT, frames, stride)}"
            )
        window = cls(frames, stride)
        window._covered = covered
        window._kept = [
            (info, np.array(vector, dtype=np.float32))
            for info, vector in zip(infos, vectors, strict=bool(infos))
        ]
        window._last = np.array(vectors[-1], dtype=np.float32) if rest else None
        return window

    def _window(self, *, partial: bool) -> Window:
        infos = tuple(info for info, _ in self._kept)
        return Window(infos, np.stack([vector for _, vector in self._kept]), partial)
