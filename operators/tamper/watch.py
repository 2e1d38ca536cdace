"""From verdicts on frames to episodes: what lasts long enough, from when to when.

Verdicts of one stream's frames in, in order -> finished episodes out. A verdict counts when it has
been the same for `least_s` of event time, and so does its end.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

from operators.frames import FrameInfo
from operators.tamper.verdict import CLEAR


@dataclass(frozen=True, slots=True)
class Episode:
    """A span in which one thing was wrong with the view, or nothing.

    Attributes:
        kind: one of `operators.tamper.verdict.STRENGTH`, or `CLEAR`.
        start: first frame that was so.
        end: last frame that was so.
        peak: how much at most, 0 to 1.
        peak_at: the first frame with that.
    """

    kind: str
    start: FrameInfo
    end: FrameInfo
    peak: float
    peak_at: FrameInfo

    @classmethod
    def of(cls, kind: str, info: FrameInfo, strength: float) -> Self:
        """Of one frame."""
        return cls(kind, info, info, strength, info)

    def longer(self, info: FrameInfo, strength: float) -> Episode:
        """With one frame more."""
        if strength > self.peak:
            return replace(self, end=info, peak=strength, peak_at=info)
        return replace(self, end=info)

    def lasts_s(self, now: FrameInfo) -> float:
        """Seconds of event time from its start to a frame."""
        return (now.event_time_us - self.start.event_time_us) / 1e6

    def to_json(self) -> dict[str, Any]:
        """As JSON values."""
        frames = {name: getattr(self, name).to_json() for name in ("start", "end", "peak_at")}
        return {"kind": self.kind, "peak": self.peak, **frames}

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> Self:
        """What `to_json` gave."""
        frames = {name: FrameInfo.from_json(said[name]) for name in ("start", "end", "peak_at")}
        return cls(**{**said, **frames})


class Watch:
    """What one stream's view is, and what it may be about to become."""

    def __init__(self, current: Episode | None = None, next_: Episode | None = None) -> None:
        self.current = current
        self._next = next_

    @property
    def held(self) -> str:
        """What the next frame's verdict is compared with."""
        if self._next and self._next.kind != CLEAR:
            return self._next.kind
        return self.current.kind if self.current else CLEAR

    @property
    def calm(self) -> bool:
        """Nothing is wrong, nor about to be."""
        return self.held == CLEAR

    def push(self, info: FrameInfo, kind: str, strength: float, least_s: float) -> Episode | None:
        """Take the next frame's verdict.

        Returns:
            The episode that is over by now, if one is; never one of `CLEAR`.
        """
        if self.current is None:  # a view that has just been learnt is clear
            self.current = Episode.of(CLEAR, info, 0.0)
        if self.current.kind == kind:
            self.current, self._next = self.current.longer(info, strength), None
            return None
        new = self._next
        if new is None or new.kind != kind:
            new = Episode.of(kind, info, strength)
        new = new.longer(info, strength)
        if new.lasts_s(info) < least_s:
            self._next = new
            return None
        over, self.current, self._next = self.current, new, None
        return over if over.kind != CLEAR else None

    def flush(self) -> Episode | None:
        """The stream ends or breaks, or another view is its own: what was wrong, if anything."""
        over, self.current, self._next = self.current, None, None
        return over if over and over.kind != CLEAR else None

    def to_json(self) -> list[Any]:
        """The memory as JSON values."""
        return [one.to_json() if one else None for one in (self.current, self._next)]

    @classmethod
    def from_json(cls, said: list[Any]) -> Self:
        """What `to_json` gave."""
        return cls(*(Episode.from_json(one) if one else None for one in said))
