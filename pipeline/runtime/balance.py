"""Which engine takes a new stream, which cameras should go to another, and how many are enough.

What engines say they have done in -> how busy they are, and a move where one has been too busy for
a minute and another one has not; more engines where all were, fewer after a long lull. Time is a
parameter; knows nothing of Ray.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from pipeline.engine.observer import WAIT
from pipeline.engine.tally import Tally

CYCLE_S = 10.0
LASTING = 6  # cycles in a row: what is over sooner, moving a camera would make worse
BUSY = 0.9  # share of its time that an engine is at work, from which on it is too busy
APART = 0.3  # so much less busy is one that can take something
LULL = 24  # cycles in a row before an engine is let go: another one would load its weights again
EASY = 0.6  # as busy as the engines that are left may be then


@dataclass(frozen=True, slots=True)
class Move:
    """Cameras that go from engine to engine, by their indices."""

    streams: tuple[str, ...]
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
    busy: deque[float] = field(default_factory=lambda: deque(maxlen=LULL))
    frames: deque[Counter[str]] = field(default_factory=lambda: deque(maxlen=LASTING))
    coming: int = 0  # streams since the last whole cycle

    @property
    def last(self) -> list[float]:
        """How busy it was in the last cycles, 0 to 1."""
        return list(self.busy)[-LASTING:]

    @property
    def lately(self) -> float:
        """Their mean; 0 where nothing is known yet."""
        return sum(self.last) / len(self.last) if self.busy else 0.0

    @property
    def known(self) -> bool:
        return len(self.busy) >= LASTING


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
        engines = self._of(streams)
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
        known = {index: one for index, one in self._of(cameras).items() if one.known}
        if len(known) < 2:
            return None
        source = max(known, key=lambda index: known[index].lately)
        target = min(known, key=lambda index: known[index].lately)
        high, low = known[source], known[target]
        pairs = zip(high.last, low.last, strict=True)
        if not all(busy >= BUSY and busy - other >= APART for busy, other in pairs):
            return None
        frames = sum(high.frames, Counter())
        most = (high.lately - low.lately) / 2 / high.lately * frames.total()
        going = _fitting({one: frames[one] for one in cameras[source]}, most)
        if not going:
            return None  # one camera is all of the work, or none has frames
        self.forget(source)
        self.forget(target)
        return Move(going, source, target)

    def crowded(self, engines: Collection[int]) -> bool:
        """All of these have had too much to do."""
        found = self._of(engines).values()
        return all(one.known and min(one.last) >= BUSY for one in found)

    def dispensable(self, engines: Collection[int]) -> int | None:
        """The one of these that has least to do, where the others could do that too."""
        found = self._of(engines)
        if len(found) < 2 or any(len(one.busy) < LULL for one in found.values()):
            return None
        together = (sum(cycle) for cycle in zip(*(one.busy for one in found.values()), strict=True))
        if max(together) > EASY * (len(found) - 1):
            return None
        return min(found, key=lambda index: (found[index].lately, -index))

    def _of(self, engines: Collection[int]) -> dict[int, _Engine]:
        return {index: self._engines.setdefault(index, _Engine()) for index in engines}


def _fitting(frames: Mapping[str, int], most: float) -> tuple[str, ...]:
    """Streams with as many frames together as may be, the largest first."""
    going = []
    for stream in sorted(frames, key=lambda one: (-frames[one], one)):
        if 0 < frames[stream] <= most:
            going.append(stream)
            most -= frames[stream]
    return tuple(going)
