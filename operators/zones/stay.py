"""Something is there: from a number per frame to when it begins, lasts and is over.

Readings of one thing, in order -> its stay and what changes. With hysteresis and least times, all
in event time, so that no sampling has to be known. Pure: the state is a value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from enum import Enum
from typing import Any, NamedTuple, Self

from operators.moment import where_and_when

_US = 1_000_000


class Instant(NamedTuple):
    """A frame's position, and its event time in microseconds since the epoch."""

    position: str
    time_us: int

    @property
    def place(self) -> dict[str, str]:
        """As values of records name it."""
        return where_and_when(self.position, self.time_us)


@dataclass(frozen=True, slots=True)
class Reading:
    """What a frame says of one thing.

    Attributes:
        value: how much of it there is, to find its peak by: larger is more.
        begins: enough for a stay to begin.
        lasts: enough for one to go on; holds wherever `begins` does.
        nearest_m: how near it is, metres; None: unknown.
    """

    value: float
    begins: bool
    lasts: bool
    nearest_m: float | None = None


@dataclass(frozen=True, slots=True)
class Patience:
    """Least times, seconds of event time.

    Attributes:
        enter_s: for so long it has been there before it counts.
        leave_s: for so long it has been away before its stay is over.
        dwell_s: after so long its stay is a dwell; None: never.
    """

    enter_s: float
    leave_s: float
    dwell_s: float | None = None


class Change(Enum):
    """What a frame changed."""

    BEGUN = "begun"
    DWELT = "dwelt"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Stay:
    """From its first frame on.

    Attributes:
        start: first frame.
        last: the newest frame in which it lasted.
        peak: largest value.
        peak_at: the first frame with that value.
        nearest_m: how near it came, metres; None: unknown.
        begun: it has been there for long enough to count.
        dwelt: and for long enough to be a dwell.
        away: the first frame after `last`; None: `last` is the newest.
    """

    start: Instant
    last: Instant
    peak: float
    peak_at: Instant
    nearest_m: float | None = None
    begun: bool = False
    dwelt: bool = False
    away: Instant | None = None

    def to_json(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> Self:
        """What `to_json` gave."""
        frames = {name: Instant(*said[name]) for name in ("start", "last", "peak_at")}
        away = None if said["away"] is None else Instant(*said["away"])
        return cls(**{**said, **frames, "away": away})


def step(
    stay: Stay | None, now: Instant, reading: Reading, patience: Patience
) -> tuple[Stay | None, list[Change]]:
    """The next frame.

    Args:
        stay: what is known so far; None: it is not there.
        now: the frame.
        reading: what it says.
        patience: how long is long enough.

    Returns:
        The stay with this frame, and what it changed. One that is over comes back once more.
    """
    if stay is None:
        if not reading.begins:
            return None, []
        stay = Stay(now, now, reading.value, now)
    if not reading.lasts:
        return _missing(stay, now, patience)
    stay = _longer(stay, now, reading)
    changes = []
    if not stay.begun and _reached(stay.start, now, patience.enter_s):
        stay = replace(stay, begun=True)
        changes.append(Change.BEGUN)
    may_dwell = stay.begun and not stay.dwelt and patience.dwell_s is not None
    if may_dwell and _reached(stay.start, now, patience.dwell_s or 0):
        stay = replace(stay, dwelt=True)
        changes.append(Change.DWELT)
    return stay, changes


def _missing(stay: Stay, now: Instant, patience: Patience) -> tuple[Stay | None, list[Change]]:
    if not stay.begun:
        return None, []
    stay = replace(stay, away=stay.away or now)
    over = stay.away is not None and _reached(stay.away, now, patience.leave_s)
    return stay, [Change.ENDED] if over else []


def _longer(stay: Stay, now: Instant, reading: Reading) -> Stay:
    peaks = reading.value > stay.peak
    metres = [one for one in (stay.nearest_m, reading.nearest_m) if one is not None]
    return replace(
        stay,
        last=now,
        away=None,
        peak=reading.value if peaks else stay.peak,
        peak_at=now if peaks else stay.peak_at,
        nearest_m=min(metres, default=None),
    )


def _reached(since: Instant, now: Instant, seconds: float) -> bool:
    return now.time_us - since.time_us >= round(seconds * _US)
