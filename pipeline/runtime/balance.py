"""Which engine takes a new stream, and which camera should go to another engine.

What engines say they have done in -> how busy they are, and a move where one has been too busy for
a minute and another one has not. Time is a parameter; knows nothing of Ray.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field

from pipeline.engine.observer import WAIT
from pipeline.engine.tally import Tally

CYCLE_S = 10.0
LASTING = 6  # cycles in a row: what is over sooner, moving a camera would make worse
BUSY = 0.9  # share of its time that an engine is at work, from which on it is too busy
APART = 0.3  # so much less busy is one that can take something


@dataclass(frozen=True, slots=True)
class Move:
    """One camera, from engine to engine, by their indices."""

    stream: str
    source: int
    target: int


@dataclass(slots=True)
class _Cycle:
    began_s: float
    waited_s: float
    frames: Mapping[str, int]


@dataclass(slots=True)
class _Engine:
    began: _Cycle | None = None
    busy: deque[float] = field(default_factory=lambda: deque(maxlen=LASTING))
    frames: deque[Counter[str]] = field(default_factory=lambda: deque(maxlen=LASTING))
    coming: int = 0  # streams since the last whole cycle

    @property
    def lately(self) -> float:
        """How busy, 0 to 1; 0 where nothing is known yet."""
        return sum(self.busy) / len(self.busy) if self.busy else 0.0

    @property
    def known(self) -> bool:
        return len(self.busy) == LASTING


class Balance:
    """Of the engines of one job."""

    def __init__(self) -> None:
        self._engines: dict[int, _Engine] = {}

    def see(self, index: int, tally: Tally, now_s: float) -> None:
        """What an engine has done so far, since it began."""
        engine = self._engines.setdefault(index, _Engine())
        waited_s = tally.seconds.get(WAIT, 0.0)
        frames = {stream: camera.frames for stream, camera in tally.cameras.items()}
        if engine.began is None:
            engine.began = _Cycle(now_s, waited_s, frames)
            return
        past = engine.began
        if (spent_s := now_s - past.began_s) < CYCLE_S:
            return
        engine.began = _Cycle(now_s, waited_s, frames)
        engine.busy.append(min(1.0, max(0.0, 1.0 - (waited_s - past.waited_s) / spent_s)))
        engine.frames.append(
            Counter({one: count - past.frames.get(one, 0) for one, count in frames.items()})
        )
        engine.coming = 0

    def forget(self, index: int) -> None:
        """Another engine has its place, or its streams are others now."""
        self._engines.pop(index, None)

    def idlest(self, streams: Mapping[int, int]) -> int:
        """Who takes a new stream; it counts from here on.

        Args:
            streams: engine -> how many it has.
        """
        engines = {index: self._engines.setdefault(index, _Engine()) for index in streams}
        known = sum(streams.values()) - sum(one.coming for one in engines.values())
        each = sum(one.lately for one in engines.values()) / max(1, known)

        def expected(index: int) -> tuple[float, int]:
            engine = engines[index]
            return round(engine.lately + engine.coming * each, 1), streams[index]

        taken = min(streams, key=expected)
        engines[taken].coming += 1
        return taken

    def move(self, cameras: Mapping[int, set[str]]) -> Move | None:
        """What would help, where something would.

        Args:
            cameras: engine -> those that may leave it; of every engine that is at work.
        """
        engines = {index: self._engines.setdefault(index, _Engine()) for index in cameras}
        known = [index for index, engine in engines.items() if engine.known]
        if len(known) < 2:
            return None
        source = max(known, key=lambda index: engines[index].lately)
        target = min(known, key=lambda index: engines[index].lately)
        high, low = engines[source], engines[target]
        pairs = zip(high.busy, low.busy, strict=True)
        if not all(busy >= BUSY and busy - other >= APART for busy, other in pairs):
            return None
        frames = sum(high.frames, Counter())
        most = (high.lately - low.lately) / 2 / high.lately * frames.total()
        fitting = {one: frames[one] for one in cameras[source] if 0 < frames[one] <= most}
        if not fitting:
            return None  # one camera is all of the work, or none has frames
        self.forget(source)
        self.forget(target)
        return Move(max(sorted(fitting), key=fitting.__getitem__), source, target)
