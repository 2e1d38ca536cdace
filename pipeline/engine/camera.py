"""How a live stream fares on its engine, for people: no record depends on it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from pipeline.stream.drift import Drift

NAMED = 3  # cameras of each state that are called by their names
State = Literal["starting", "live", "stalled", "lost", "ended"]
STATES: tuple[State, ...] = ("live", "lost", "stalled", "starting", "ended")
"""Of a camera: frames come; it is connected again; its server or its decoder brings nothing new;
nothing has come yet; its stream is over."""


@dataclass(frozen=True, slots=True)
class Camera:
    """One live stream in this run.

    Attributes:
        frames: sampled frames that went through the operators.
        dropped: cause -> sampled frames that were dropped (`pipeline.stream.chunk.CAUSES`).
        lag_s: age of the oldest frame of the last commit when its records were in the sink.
        worst_lag_s: the largest of those.
        state: whether it is there.
        why: of a state that is none to wish for, what was told of it.
        epoch: which assignment of the stream the last commit was of.
        ledger: operator -> what became of frames, as of then (`pipeline.stream.ledger`).
        newest_us: wall clock at which the newest frame was decoded whose records are in the sink.
        drift: how fast its clock runs against its decoder's, in this connection; None: nobody
            knows, or not yet.
    """

    frames: int = 0
    dropped: Mapping[str, int] = field(default_factory=dict)
    lag_s: float = 0.0
    worst_lag_s: float = 0.0
    state: State = "starting"
    why: str = ""
    epoch: int = 0
    ledger: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    newest_us: int = 0
    drift: Drift | None = None

    def __add__(self, other: Camera) -> Camera:
        """Both, `other` being the later one."""
        causes = dict.fromkeys([*self.dropped, *other.dropped])
        dropped = {name: self.dropped.get(name, 0) + other.dropped.get(name, 0) for name in causes}
        worst_lag_s = max(self.worst_lag_s, other.worst_lag_s)
        frames, newest_us = self.frames + other.frames, max(self.newest_us, other.newest_us)
        return replace(
            other, frames=frames, dropped=dropped, worst_lag_s=worst_lag_s, newest_us=newest_us
        )

    def dropped_since(self, earlier: Camera) -> dict[str, int]:
        """Cause -> frames dropped between two looks at it."""
        more = {name: count - earlier.dropped.get(name, 0) for name, count in self.dropped.items()}
        return {name: count for name, count in more.items() if count}

    def plain(self) -> dict[str, object]:
        """JSON values."""
        lags = {"lag_s": round(self.lag_s, 3), "worst_lag_s": round(self.worst_lag_s, 3)}
        counts = {"frames": self.frames, "dropped": dict(self.dropped)}
        return {"state": self.state, **counts, **lags}


def counted(cameras: Mapping[str, Camera]) -> str:
    """`3 cameras live, 1 lost (gate)`: who is not live has a name."""
    told = []
    for state in STATES:
        names = [name for name, camera in cameras.items() if camera.state == state]
        if state == "live":
            told.append(f"{len(names)} camera{'' if len(names) == 1 else 's'} live")
        elif names:
            more = [f"{len(names) - NAMED} more"] if len(names) > NAMED else []
            told.append(f"{len(names)} {state} ({', '.join([*names[:NAMED], *more])})")
    return ", ".join(told)


def told(dropped: Mapping[str, int]) -> str:
    """`37 dropped (full 30, late 7)`."""
    causes = ", ".join(f"{cause} {count}" for cause, count in dropped.items())
    return f"{sum(dropped.values())} dropped ({causes})"
