"""Where one shot ends and the next begins, among all frames that are decoded of a stream.

Items of a stream in order -> the same without their glimpses, and each shot when it is over. What
it remembers goes into the cursor of every frame of a recording, so that another process decides the
same. Decided by pixels and event times alone.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from typing import Any

from operators.frames import FrameInfo
from pipeline.decode.collector import Item, Told
from pipeline.decode.cuts import Cuts, Verdict
from pipeline.decode.track import Glimpse, Sample
from pipeline.stream.chunk import Beginning, End, Gap, Shot
from pipeline.stream.shots import ShotRule
from pipeline.stream.spec import StreamSpec

_NO_BREAKS = ("dropped", "size")  # gaps between which the same goes on being shown


@dataclass(slots=True)
class _Open:
    """The shot that goes on."""

    start: dict[str, str]
    since_us: int
    last: FrameInfo
    frames: int
    began: Beginning


class Shots:
    """Of one stream; where it has no rule, every item goes through as it is."""

    def __init__(self, spec: StreamSpec) -> None:
        """Go on behind the cursor of `spec`, which a live stream does not: it begins anew."""
        self._rule = spec.shots
        self._live = spec.live
        self._cuts = Cuts((spec.shots or ShotRule()).threshold)
        self._waiting: deque[FrameInfo] = deque()  # frames that nothing is decided of yet
        self._open: _Open | None = None
        self._began: Beginning = "start"  # the next shot, where none is open
        self._session = ""  # of the last frame that was seen
        self._over: list[Shot] = []  # to be told before the next sample
        state = (spec.cursor or {}).get("shots")
        if state and not spec.live:
            self._restore(state)

    def judge(self, item: Item) -> list[Told]:
        """The next item; what takes its place. Shots are told right before a sample, whose cursor
        says so, or before the end: who goes on from a cursor tells no shot twice."""
        if self._rule is None:
            assert not isinstance(item, Glimpse)
            return [item]
        if isinstance(item, Glimpse):
            self._see(item, self._rule)
            return []
        if isinstance(item, Gap) and item.reason not in _NO_BREAKS:
            self._break_off("gap")
        if isinstance(item, Sample):
            if item.info.session != self._session:  # another, in which nobody looks
                self._break_off("start")
            told, self._over = self._over, []
            cursor = item.cursor if self._live else item.cursor | {"shots": self._snapshot()}
            return [*told, replace(item, cursor=cursor)]
        if isinstance(item, End) and item.outcome in ("ok", "degraded") and not item.unfinished:
            return [*self.rest(), item]
        return [item]

    def rest(self) -> list[Shot]:
        """The shots that no frame has told, and the open one: nothing comes after it."""
        self._break_off("start")
        told, self._over = self._over, []
        return told

    def _see(self, glimpse: Glimpse, rule: ShotRule) -> None:
        info = glimpse.info
        if info.session != self._session:
            self._break_off("start")
            self._began, self._session = "start", info.session  # whatever broke the one before
        self._waiting.append(info)
        verdict = self._cuts.see(glimpse.cells)
        if verdict is not None:
            self._decide(verdict, rule)

    def _decide(self, verdict: Verdict, rule: ShotRule) -> None:
        """On the frame that has waited longest."""
        info, shot = self._waiting.popleft(), self._open
        if verdict and shot and info.event_time_us - shot.since_us >= rule.min_s * 1e6:
            self._close(verdict)
        if self._open is None:
            self._open = _Open(info.place, info.event_time_us, info, 0, self._began)
        self._open.last = info
        self._open.frames += 1

    def _break_off(self, begins: Beginning) -> None:
        """What comes next is another shot, whatever it shows; how that begins."""
        for verdict in self._cuts.rest():
            assert self._rule
            self._decide(verdict, self._rule)
        self._close(begins)

    def _close(self, begins: Beginning) -> None:
        shot, self._open = self._open, None
        if shot:
            self._over.append(Shot(shot.start, shot.last, shot.frames, shot.began))
            self._began = begins

    def _snapshot(self) -> dict[str, Any]:
        """JSON values."""
        shot = self._open
        return {
            "cuts": self._cuts.snapshot(),
            "waiting": [info.to_json() for info in self._waiting],
            "began": self._began,
            "session": self._session,
            "open": shot
            and {
                "start": shot.start,
                "since_us": shot.since_us,
                "last": shot.last.to_json(),
                "frames": shot.frames,
                "began": shot.began,
            },
        }

    def _restore(self, state: dict[str, Any]) -> None:
        self._cuts.restore(state["cuts"])
        self._waiting = deque(map(FrameInfo.from_json, state["waiting"]))
        self._began, self._session = state["began"], state["session"]
        if shot := state["open"]:
            self._open = _Open(**{**shot, "last": FrameInfo.from_json(shot["last"])})
