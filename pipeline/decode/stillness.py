"""Which sampled frames show what the last computed one does, so that they need not be computed.

Items of a stream in order -> the same, with the frames that repeat one saying so. Decided by pixels
and event times alone; what it remembers goes into the cursor of every frame of a recording.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from operators.frames import FrameInfo
from pipeline.decode.collector import Told
from pipeline.decode.track import Sample
from pipeline.media.thumbnail import luma_cells
from pipeline.stream.chunk import End, Gap
from pipeline.stream.gate import Gate
from pipeline.stream.sampling import GapDetector
from pipeline.stream.spec import StreamSpec


@dataclass(frozen=True, slots=True)
class _Key:
    """The last frame that is computed."""

    session: str
    position: str
    event_time_us: int
    taken: int
    cells: NDArray[np.uint8]
    said: dict[str, Any] = field(init=False)  # JSON values

    def __post_init__(self) -> None:
        said = {name: getattr(self, name) for name in ("session", "position", "event_time_us")}
        cells = base64.b64encode(self.cells.tobytes()).decode()
        more = {"taken": self.taken, "shape": list(self.cells.shape), "cells": cells}
        object.__setattr__(self, "said", said | more)

    @classmethod
    def of(cls, said: dict[str, Any]) -> _Key:
        """What `said` says."""
        cells = np.frombuffer(base64.b64decode(said["cells"]), np.uint8).reshape(said["shape"])
        place = (said["session"], said["position"], said["event_time_us"])
        return cls(*place, said["taken"], cells)

    def shows(self, info: FrameInfo, taken: int, cells: NDArray[np.uint8], gate: Gate) -> bool:
        """Whether a later frame shows the same, to all that take it."""
        if taken & ~self.taken or cells.shape != self.cells.shape:
            return False
        if info.event_time_us - self.event_time_us >= gate.at_least_every_s * 1e6:
            return False
        change = np.abs(cells.astype(np.int16) - self.cells)
        return bool(change.max() <= gate.threshold)


class Stillness:
    """Of one stream; where it has no gate, every frame is computed."""

    def __init__(self, spec: StreamSpec) -> None:
        """Go on behind the cursor of `spec`, which a live stream does not: it begins anew. Of kept
        features it was judged when they were kept."""
        self._gate = None if spec.kept else spec.gate
        self._live = spec.live
        self._samplings = spec.samplings
        self._key: _Key | None = None
        self._gaps: list[GapDetector] = []
        self._forget()
        state = (spec.cursor or {}).get("still")
        if state and not spec.live:
            self._key = _Key.of(state["key"])
            for gaps, own in zip(self._gaps, state["gaps"], strict=True):
                gaps.restore(own)

    def judge(self, item: Told) -> Told:
        """The next item; a frame that repeats one says which."""
        if self._gate is None or not isinstance(item, Sample):
            if isinstance(item, Gap | End):
                self._forget()
            return item
        repeats = self._repeated(item, self._gate)
        cursor = item.cursor if self._live else item.cursor | {"still": self._snapshot()}
        return replace(item, repeats=repeats, cursor=cursor)

    def _repeated(self, sample: Sample, gate: Gate) -> str:
        info, taken = sample.info, sample.taken
        if self._key and self._key.session != info.session:
            self._forget()
        breaks = [
            gaps.is_gap(info.event_time_us)
            for rule, gaps in enumerate(self._gaps)
            if taken >> rule & 1
        ]
        cells = luma_cells(sample.pixels)
        if self._key and not any(breaks) and self._key.shows(info, taken, cells, gate):
            return self._key.position
        self._key = _Key(info.session, info.position, info.event_time_us, taken, cells)
        return ""

    def _forget(self) -> None:
        """What comes next is computed; operators forget what came before, too."""
        self._key = None
        self._gaps = [GapDetector(rule) for rule in self._samplings]

    def _snapshot(self) -> dict[str, Any]:
        assert self._key
        return {"key": self._key.said, "gaps": [gaps.snapshot() for gaps in self._gaps]}
