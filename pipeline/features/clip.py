"""A recording whose features are wanted, and the draft of the next cache file while it is played.

Frames in -> which of them count, and the facts that a later run goes on from.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.configuration.sources import plan_recordings
from pipeline.features.stored import Part
from pipeline.media.fingerprint import file_session
from pipeline.stream.chunk import Cursor, End, Frames
from pipeline.stream.sampling import Sampling
from pipeline.synthetic.uri import SCHEME


@dataclass(frozen=True, slots=True)
class Clip:
    """What is wanted of one recording.

    Attributes:
        path: the file, or the URI of a rendered scene.
        fps: frames per second of media time, sampled as replay samples.
        start_s: leave out what comes before, seconds since the first frame.
        end_s: and what comes after; None: to the end.
        patches: keep the patch grid too, 100 times as large as the rest.
        tokens_of: keep all tokens behind this block too, as large again; None: of none.
    """

    path: Path
    fps: float
    start_s: float = 0.0
    end_s: float | None = None
    patches: bool = False
    tokens_of: int | None = None

    def __post_init__(self) -> None:
        end_s = float("inf") if self.end_s is None else self.end_s
        if not 0 <= self.start_s <= end_s:
            raise ValueError(
                f"{self.path}: want 0 <= start <= end, got {self.start_s} s and {self.end_s} s"
            )

    @property
    def sampling(self) -> Sampling:
        return Sampling("fps", self.fps)

    @property
    def content(self) -> str:
        """What identifies what is in it."""
        return content_of(str(self.path))

    @property
    def url(self) -> str:
        """As a decoder opens it."""
        return str(self.path if is_scene(str(self.path)) else self.path.absolute())

    def rows(self, times_s: NDArray[np.float64]) -> NDArray[np.intp]:
        """Which frames lie in the wanted span."""
        end_s = float("inf") if self.end_s is None else self.end_s
        return np.flatnonzero((times_s >= self.start_s) & (times_s <= end_s))


def is_scene(name: str) -> bool:
    """Whether a recording is rendered, not read."""
    return name.startswith(SCHEME)


def content_of(name: str) -> str:
    """What identifies the content of a file or scene, wherever it lies."""
    return plan_recordings([name])[0].session if is_scene(name) else file_session(name)


@dataclass(slots=True)
class Draft:
    """What has been computed of a clip and is in no cache file yet."""

    index: int = 0
    first_us: int | None = None
    last_us: int | None = None
    cursor: Cursor | None = None
    clock: str = "media"
    source_hw: tuple[int, int] = (0, 0)
    grid_of_hw: tuple[int, int] | None = None  # size of the pixels whose patches are kept
    rows: int = 0
    _sizes: list[tuple[float, int, int]] = field(default_factory=list)
    _arrays: list[Mapping[str, NDArray[Any]]] = field(default_factory=list)
    _breaks: list[int] = field(default_factory=list)

    @classmethod
    def after(cls, parts: list[Mapping[str, Any]]) -> Draft:
        """Of the part after those whose facts these are."""
        if not parts:
            return cls()
        facts = parts[-1]
        height, width = facts["source_hw"]
        place = (facts["first_us"], facts["last_us"], facts["cursor"])
        return cls(len(parts), *place, source_hw=(height, width))

    def see(self, frames: Frames) -> NDArray[np.float64]:
        """Note where decoding stands; the frames' times in seconds since the first frame."""
        times_us = np.array([info.event_time_us for info in frames.infos], dtype=np.int64)
        if self.first_us is None:
            self.first_us = int(times_us[0])
        self.last_us, self.cursor = int(times_us[-1]), frames.cursor
        self.clock = frames.infos[0].clock
        elapsed: NDArray[np.float64] = (times_us - self.first_us) / 1e6
        for time_s, info in zip(elapsed.tolist(), frames.infos, strict=True):
            if info.source_hw != self.source_hw:
                self.source_hw = info.source_hw
                self._sizes.append((time_s, *info.source_hw))
        return elapsed

    def keep(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Add what was computed for some frames."""
        self._arrays.append(arrays)
        self.rows += len(arrays["times_us"])

    def break_off(self) -> None:
        """The footage breaks here."""
        self._breaks.append(self.rows)

    def part(self, end: End | None) -> Part:
        """All of it as one cache file; the last one with `end`."""
        facts = {
            "first_us": self.first_us,
            "last_us": self.last_us,
            "breaks": self._breaks,
            "cursor": self.cursor,
            "clock": self.clock,
            "source_hw": list(self.source_hw),
            "sizes": [list(one) for one in self._sizes],
            "end": None if end is None else {"outcome": end.outcome, "detail": end.detail},
        }
        names = self._arrays[0] if self._arrays else {}
        return Part({n: np.concatenate([one[n] for one in self._arrays]) for n in names}, facts)

    def next(self) -> Draft:
        """An empty draft of the part after this one."""
        place = (self.index + 1, self.first_us, self.last_us, self.cursor)
        return Draft(*place, self.clock, self.source_hw, self.grid_of_hw)
