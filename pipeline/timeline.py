"""One unbroken timeline per session: container timestamps in -> position and event time out.

Timestamps wrap, repeat, run backwards, jump and are missing; docs/decisions/position.md says what
becomes of each. Pure: the anchor is a parameter, the state is JSON values.
"""

from __future__ import annotations

from bisect import insort
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

Clock = Literal["capture", "container", "start-time", "media"]
MODULI = (2**33, 2**32)  # MPEG-TS and PS, RTP
WRAP_WINDOW_S = 60  # a timestamp this near to where the counter would have wrapped has wrapped
JUMP_S = 1  # timestamps that go back further are another clock; less is reordering
REMEMBERED = 64  # highest positions given out; what is older cannot be told from a repetition


@dataclass(frozen=True, slots=True)
class Anchor:
    """Where a session's first frame lies in time, and how that is known."""

    event_time_us: int
    clock: Clock


@dataclass(frozen=True, slots=True)
class Stamp:
    """What the timeline says of one frame.

    Attributes:
        position: unique in the session.
        elapsed: running maximum of (pts - first pts), ticks.
        event_time_us: microseconds since the epoch, never going back.
    """

    position: str
    elapsed: int
    event_time_us: int


def anchor(start_time_us: int | None, creation_time_us: int | None) -> Anchor:
    """What event time starts from: the user's word, else the container's, else the epoch."""
    if start_time_us is not None:
        return Anchor(start_time_us, "start-time")
    if creation_time_us is not None:
        return Anchor(creation_time_us, "container")
    return Anchor(0, "media")


class Timeline:
    """Stamps the decoded frames of one session, in output order."""

    def __init__(self, time_base: Fraction, anchor_us: int) -> None:
        """
        Args:
            time_base: seconds per tick of every pts.
            anchor_us: event time of the first frame, microseconds since the epoch.
        """
        self._time_base = time_base
        self._anchor_us = anchor_us
        self._offset = 0  # raw pts + offset = unwrapped pts
        self._spliced = False  # the next pts is another file's first
        self._first: int | None = None  # unwrapped
        self._elapsed = 0
        self._step = 0  # ticks by which time last moved on
        self._fresh = ""  # last fresh position
        self._since = 0  # frames after it
        self._recent: list[int] = []  # highest fresh positions, ascending

    def stamp(self, pts: int | None, duration: int | None = None) -> Stamp:
        """Place one frame.

        Args:
            pts: as the container says, ticks.
            duration: the frame's, ticks; moves time on where a pts is missing.
        """
        if pts is None:
            self._estimate(duration)
            self._since += 1
        else:
            self._place(self._unwrap(pts), duration)
        position = f"{self._fresh}+{self._since}" if self._since else self._fresh
        elapsed_us = self._elapsed * self._time_base.numerator * 1_000_000
        event_time_us = self._anchor_us + elapsed_us // self._time_base.denominator
        return Stamp(position, self._elapsed, event_time_us)

    def splice(self) -> None:
        """The next pts is the first of another file: it goes on where this one ended."""
        self._spliced = True

    def snapshot(self) -> dict[str, Any]:
        """State as JSON values."""
        return {
            "offset": self._offset,
            "spliced": self._spliced,
            "first": self._first,
            "elapsed": self._elapsed,
            "step": self._step,
            "fresh": self._fresh,
            "since": self._since,
            "recent": list(self._recent),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on where `snapshot` was taken."""
        self._offset, self._spliced = state["offset"], state["spliced"]
        self._first, self._elapsed = state["first"], state["elapsed"]
        self._step = state["step"]
        self._fresh, self._since = state["fresh"], state["since"]
        self._recent = list(state["recent"])

    def _estimate(self, duration: int | None) -> None:
        if self._fresh or self._since:
            self._elapsed += duration or self._step

    def _place(self, unwrapped: int, duration: int | None) -> None:
        if self._first is None:  # frames before it had no pts and keep their estimated times
            self._estimate(duration)
            self._first = unwrapped - self._elapsed
        elif (ahead := unwrapped - self._first - self._elapsed) > 0:
            self._step = ahead
            self._elapsed += ahead
        if self._is_fresh(unwrapped):
            self._fresh, self._since = str(unwrapped), 0
            insort(self._recent, unwrapped)
            del self._recent[:-REMEMBERED]
        else:
            self._since += 1

    def _is_fresh(self, unwrapped: int) -> bool:
        """Surely given to no frame yet: what was forgotten is lower than all that is remembered."""
        if len(self._recent) == REMEMBERED and unwrapped < self._recent[0]:
            return False
        return unwrapped not in self._recent

    def _unwrap(self, pts: int) -> int:
        candidate = pts + self._offset
        if self._first is None:
            return candidate
        top = self._first + self._elapsed
        follows = top + max(self._step, 1)
        if self._spliced:
            self._spliced = False
            self._offset = follows - pts
            return follows
        turn = self._turn(candidate - top)
        if turn > 0:
            self._offset += turn
        elif turn == 0 and top - candidate > max(
            Fraction(JUMP_S) / self._time_base, Fraction(3 * self._step)
        ):
            self._offset += follows - candidate
            return follows
        return candidate + turn  # a negative turn: reordered from before the wrap

    def _reordering(self) -> Fraction:
        """How far timestamps may run backwards on the same clock, ticks."""
        return max(Fraction(JUMP_S) / self._time_base, Fraction(3 * self._step))

    def _turn(self, ahead: int) -> int:
        """The modulus to add or take away, where the counter has wrapped; else 0."""
        window = Fraction(WRAP_WINDOW_S) / self._time_base
        for modulus in MODULI:
            if window * 4 < modulus and abs(abs(ahead) - modulus) <= window:
                return modulus if ahead < 0 else -modulus
        return 0
