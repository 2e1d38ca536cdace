"""One unbroken timeline per session: container timestamps in -> position and event time out.

Timestamps wrap, repeat, run backwards, jump and are missing; docs/decisions/position.md says what
becomes of each. A live stream's frames come with the local time too, which its clock may not run
away from. Pure: anchor and local time are parameters, the state is JSON values.
"""

from __future__ import annotations

from bisect import insort
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

from pipeline.stream.slow_clock import MARGIN_S, SlowClock

Clock = Literal["capture", "container", "start-time", "media"]
MODULI = (2**33, 2**32)  # MPEG-TS and PS, RTP
WRAP_WINDOW_S = 60  # a timestamp this near to where the counter would have wrapped has wrapped
JUMP_S = 1  # timestamps that go back further are another clock; less is reordering
AHEAD_S = 1  # live: timestamps this far ahead of local time are another clock; less is jitter
STILL_S, STILL_FRAMES = 3, 3  # live: a clock that stood so long while so many came is none
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
        jumped: live: its timestamp was another clock's, and time goes on as local time does.
        media_us: by the stream's own clock, without its wraps and jumps and from wherever it
            counts; None where the frame has no timestamp.
    """

    position: str
    elapsed: int
    event_time_us: int
    jumped: bool = False
    media_us: int | None = None


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
        self._after: int | None = None  # so many ticks behind the last; None: a frame's step
        self._first: int | None = None  # unwrapped
        self._elapsed = 0
        self._step = 0  # ticks by which time last moved on
        self._fresh = ""  # last fresh position
        self._since = 0  # frames after it
        self._recent: list[int] = []  # highest fresh positions, ascending
        self._local: int | None = None  # live: local time since the anchor, ticks
        self._passed = 0  # of it since the last frame
        self._jumped = False
        self._slow = SlowClock(time_base)
        self._settled = True  # the anchor is no provisional one
        self._moved_at: int | None = None  # local time when event time last moved on
        self._still = 0  # frames since
        self._stands = False

    def stamp(
        self, pts: int | None, duration: int | None = None, local_us: int | None = None
    ) -> Stamp:
        """Place one frame.

        Args:
            pts: as the container says, ticks.
            duration: the frame's, ticks; moves time on where a pts is missing.
            local_us: live: when it came, microseconds since the epoch by a clock that is never
                set. Event time is never later.
        """
        before, self._jumped = self._elapsed, False
        media_us = None
        if local_us is not None:
            self._look_at(local_us)
        if pts is None:
            self._estimate(duration)
            self._since += 1
        else:
            unwrapped = self._unwrap(pts)
            self._place(unwrapped, duration)
            media_us = self._us(unwrapped)
        if self._local is not None:
            self._keep_to(self._local, before)
        position = f"{self._fresh}+{self._since}" if self._since else self._fresh
        return Stamp(position, self._elapsed, self.event_time_us, self._jumped, media_us)

    @property
    def event_time_us(self) -> int:
        """Of the last frame."""
        return self._anchor_us + self._us(self._elapsed)

    @property
    def elapsed_us(self) -> int:
        """Of the last frame."""
        return self._us(self._elapsed)

    def anchor(self, anchor_us: int) -> None:
        """From now on event time is counted from here. One that is given before the first frame is
        provisional: where that lies is told by the frames."""
        self._settled = self._local is not None
        if self._local is not None:
            self._local += self._ticks(self._anchor_us - anchor_us)
            self._moved_at = self._local
            self._slow = SlowClock(self._time_base)
        self._anchor_us = anchor_us

    @property
    def step_us(self) -> int:
        """By which time last moved on."""
        return self._us(self._step)

    def splice(self, after_us: int | None = None) -> None:
        """The next pts is the first of another file: it goes on where this one ended, or so much
        later than the last frame. Below 0 it repeats what was there, and time stands still; for no
        longer than timestamps may run backwards."""
        self._spliced = True
        self._after = None if after_us is None else self._ticks(after_us)

    def snapshot(self) -> dict[str, Any]:
        """State as JSON values."""
        after = {} if self._after is None else {"after": self._after}
        return {
            **after,
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
        self._after = state.get("after")
        self._first, self._elapsed = state["first"], state["elapsed"]
        self._step = state["step"]
        self._fresh, self._since = state["fresh"], state["since"]
        self._recent = list(state["recent"])

    def live_snapshot(self) -> dict[str, Any]:
        """State of a live session whose anchor is known: `snapshot`, and how it keeps to local
        time."""
        return self.snapshot() | {
            "anchor_us": self._anchor_us,
            "local": self._local,
            "slow": self._slow.snapshot(),
            "moved_at": self._moved_at,
            "still": self._still,
            "stands": self._stands,
        }

    def live_restore(self, state: dict[str, Any]) -> None:
        """Go on where `live_snapshot` was taken."""
        self.restore(state)
        self._anchor_us, self._local, self._settled = state["anchor_us"], state["local"], True
        self._slow.restore(state["slow"])
        self._moved_at, self._still = state["moved_at"], state["still"]
        self._stands = state["stands"]

    def _us(self, ticks: int) -> int:
        return ticks * self._time_base.numerator * 1_000_000 // self._time_base.denominator

    def _ticks(self, microseconds: int) -> int:
        base = self._time_base
        return microseconds * base.denominator // (base.numerator * 1_000_000)

    def _look_at(self, local_us: int) -> None:
        local = self._ticks(local_us - self._anchor_us)
        self._passed = 0 if self._local is None else local - self._local
        self._local = local

    def _keep_to(self, local: int, before: int) -> None:
        """Not ahead of local time, nor ever farther behind it."""
        elapsed = max(min(self._elapsed, local), before)
        elapsed += self._slow.correction(local, local - elapsed, elapsed - before)
        elapsed += self._without_clock(local, local - elapsed, elapsed - before)
        if self._first is not None:
            self._first -= elapsed - self._elapsed
        self._elapsed = elapsed

    def _without_clock(self, local: int, lag: int, moved: int) -> int:
        """Ticks to add to a frame's elapsed time where the stream's clock stands still: then its
        frames happen when they come. As `SlowClock.correction` otherwise."""
        if moved or not self._settled or self._moved_at is None:
            self._moved_at, self._still, self._stands = local, 0, False
        self._still += 1
        long = self._us(local - self._moved_at) >= STILL_S * 1_000_000
        if not self._stands and not (long and self._still > STILL_FRAMES):
            return 0
        self._jumped |= not self._stands
        self._stands = True
        return max(0, lag - self._ticks(round(MARGIN_S * 1_000_000)))

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
        if self._spliced:
            after, self._spliced, self._after = self._after, False, None
            if after is None:
                return self._go_on(pts, max(self._step, 1))
            return self._go_on(pts, max(after, -int(self._reordering())))
        turn = self._turn(candidate - top)
        back = turn == 0 and top - candidate > self._reordering()
        if back or self._runs_away(candidate + turn):
            self._jumped = self._local is not None
            return self._go_on(pts, max(self._step, self._passed if self._jumped else 1, 1))
        self._offset += max(turn, 0)
        return candidate + turn  # a negative turn: reordered from before the wrap

    def _go_on(self, pts: int, after: int) -> int:
        """Another clock's pts: so many ticks after where time stands."""
        assert self._first is not None
        follows = self._first + self._elapsed + after
        self._offset = follows - pts
        return follows

    def _reordering(self) -> Fraction:
        """How far timestamps may run backwards on the same clock, ticks."""
        return max(Fraction(JUMP_S) / self._time_base, Fraction(3 * self._step))

    def _runs_away(self, unwrapped: int) -> bool:
        """Farther ahead of local time than anything arrives."""
        if self._local is None or self._first is None:
            return False
        return unwrapped - self._first - self._local > Fraction(AHEAD_S) / self._time_base

    def _turn(self, ahead: int) -> int:
        """The modulus to add or take away, where the counter has wrapped; else 0."""
        window = Fraction(WRAP_WINDOW_S) / self._time_base
        for modulus in MODULI:
            if window * 4 < modulus and abs(abs(ahead) - modulus) <= window:
                return modulus if ahead < 0 else -modulus
        return 0
