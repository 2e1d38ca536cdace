"""Which frames are taken, and where a break lies between two taken ones.

Elapsed time of every decoded frame in -> a bit mask per frame. Pure functions of timestamps: knows
nothing of decoders, clocks or operators; both classes keep their state as JSON values.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import reduce
from itertools import combinations
from math import floor, gcd, lcm
from statistics import median
from typing import Any, Literal

Mode = Literal["fps", "every", "keyframes", "all"]
MODES = ("fps", "every", "keyframes", "all")
GAP_PERIODS = Fraction(3, 2)  # fps: a longer interval between taken frames is a gap
GAP_MEDIANS = 3  # other modes: so many running medians
HALF = "half"  # every other of the frames that are taken, as a thing that can be given up
REMEMBERED = 16  # intervals that the running median is taken over


@dataclass(frozen=True, slots=True)
class Sampling:
    """One rule.

    Attributes:
        mode: `fps` (so many frames per second of media time), `every` (each N-th decoded frame),
            `keyframes` or `all`.
        value: the rate or N; None for the other two.
    """

    mode: Mode
    value: float | int | None = None

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise ValueError(f"sampling mode {self.mode!r} is none of {', '.join(MODES)}")
        if self.mode in ("keyframes", "all"):
            if self.value is not None:
                raise ValueError(f"sampling {self.mode!r} takes no value, got {self.value!r}")
        elif self.value is None or not 0 < self.value < float("inf"):
            raise ValueError(f"sampling {self.mode!r} needs a value above 0, got {self.value!r}")
        elif self.mode == "every" and self.value != int(self.value):
            raise ValueError(f"sampling 'every' needs a whole number, got {self.value!r}")

    @classmethod
    def parse(cls, text: str) -> Sampling:
        """The rule that `canonical` wrote: `fps:5`, `every:10`, `keyframes`, `all`.

        Raises:
            ValueError: no such rule.
        """
        mode, _, value = text.partition(":")
        if mode not in MODES:
            raise ValueError(f"sampling {text!r} is none of fps:RATE, every:N, keyframes, all")
        return cls(mode, float(value) if value else None)  # type: ignore[arg-type]

    def canonical(self) -> str:
        """One text per rule: equal rules give equal texts, whatever the number's type."""
        if self.value is None:
            return self.mode
        value = self.value
        return f"{self.mode}:{int(value) if value == int(value) else value!r}"

    __str__ = canonical

    @property
    def rate_hz(self) -> Fraction | None:
        """Frames per second, exactly as the decimal number was written; None in other modes."""
        return Fraction(str(self.value)) if self.mode == "fps" else None


def union_hz(rules: Iterable[Sampling]) -> Fraction | None:
    """Frames per second that at least one of the rules takes, of a source with frames for all of
    them; None where a rule goes by something else than time. A rate that divides another adds
    nothing: floor(2.5 t) rises only where floor(5 t) does."""
    rates = [rule.rate_hz for rule in set(rules)]
    known = [rate for rate in rates if rate is not None]
    if len(known) < len(rates):
        return None
    total = Fraction(0)
    for size in range(1, len(known) + 1):
        for some in combinations(known, size):
            total -= (-1) ** size * reduce(_gcd, some)
    return total


def _gcd(one: Fraction, other: Fraction) -> Fraction:
    """The largest rate that divides both: how often their frames meet."""
    below = lcm(one.denominator, other.denominator)
    return Fraction(gcd(int(one * below), int(other * below)), below)


class Sampler:
    """Applies the rules of a stream to each of its decoded frames, in order."""

    def __init__(self, rules: Sequence[Sampling], time_base: Fraction) -> None:
        """
        Args:
            rules: rule i sets bit i.
            time_base: seconds per tick of the elapsed time.
        """
        self._rules = tuple(rules)
        self._ticks_to_frames = [
            None if rule.rate_hz is None else rule.rate_hz * time_base for rule in rules
        ]
        self._reached = [-1] * len(rules)  # fps: the last whole number passed
        self._seen = 0

    def take(self, elapsed: int, *, keyframe: bool) -> int:
        """Bit mask of the rules that take this frame.

        Args:
            elapsed: running maximum of (pts - first pts), ticks.
            keyframe: it can be decoded by itself.
        """
        mask = 0
        for bit, rule in enumerate(self._rules):
            mask |= self._takes(bit, rule, elapsed, keyframe) << bit
        self._seen += 1
        return mask

    def snapshot(self) -> dict[str, Any]:
        """State as JSON values."""
        return {"seen": self._seen, "reached": list(self._reached)}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on where `snapshot` was taken; the rules must be the same."""
        if len(state["reached"]) != len(self._rules):
            raise ValueError(
                f"state of {len(state['reached'])} sampling rules for {len(self._rules)}"
            )
        self._seen, self._reached = int(state["seen"]), [int(x) for x in state["reached"]]

    def _takes(self, bit: int, rule: Sampling, elapsed: int, keyframe: bool) -> bool:
        if rule.mode == "all":
            return True
        if rule.mode == "keyframes":
            return keyframe
        if rule.mode == "every":
            assert rule.value is not None
            return self._seen % int(rule.value) == 0
        ticks_to_frames = self._ticks_to_frames[bit]
        assert ticks_to_frames is not None
        number = elapsed * ticks_to_frames.numerator // ticks_to_frames.denominator
        rises = number > self._reached[bit]
        self._reached[bit] = max(number, self._reached[bit])
        return rises


class GapDetector:
    """Sees the event times of the frames that one operator takes, and finds the breaks."""

    def __init__(self, sampling: Sampling) -> None:
        self._period_limit_us = _period_limit_us(sampling)
        self._last_us: int | None = None
        self._intervals_us: deque[int] = deque(maxlen=REMEMBERED)

    def is_gap(self, event_time_us: int) -> bool:
        """Whether a break lies between the previous taken frame and this one.

        Called once per taken frame, in order. Frames at equal times (a container whose timestamps
        run backwards has them) are no interval at all.
        """
        last_us, self._last_us = self._last_us, event_time_us
        if last_us is None or event_time_us <= last_us:
            return False
        interval_us = event_time_us - last_us
        breaks = self._breaks(interval_us)
        self._intervals_us.append(interval_us)
        return breaks

    def snapshot(self) -> dict[str, Any]:
        """State as JSON values."""
        return {"last_us": self._last_us, "intervals_us": list(self._intervals_us)}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on where `snapshot` was taken."""
        self._last_us = state["last_us"]
        self._intervals_us = deque(state["intervals_us"], maxlen=REMEMBERED)

    def _breaks(self, interval_us: int) -> bool:
        if self._period_limit_us is None:
            usual_us = median(self._intervals_us) if self._intervals_us else interval_us
            return interval_us > GAP_MEDIANS * usual_us
        if interval_us <= self._period_limit_us:
            return False
        if len(self._intervals_us) < 2:
            return True
        # A source slower than twice the rate has such intervals all the time (6 fps sampled at 5:
        # 167, 167, 167, 167, 333 ms). What came twice lately is its rhythm, not a gap.
        return 10 * interval_us > 11 * sorted(self._intervals_us)[-2]


def _period_limit_us(sampling: Sampling) -> int | None:
    """The longest whole interval that is none in any case; None: the rule knows no period."""
    rate_hz = sampling.rate_hz
    return None if rate_hz is None else floor(GAP_PERIODS * 1_000_000 / rate_hz)
