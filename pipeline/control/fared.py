"""How the streams of a live job fare, for whoever asks over HTTP. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from operators.moment import rfc3339
from pipeline.control.wanted import WantedStream
from pipeline.engine.camera import Camera
from pipeline.engine.latency import Latency
from pipeline.engine.tally import Outcome, Tally
from pipeline.secrets import mask, mask_values
from pipeline.sinks.spill.backlog import Kept

State = Literal["connecting", "live", "stalled", "reconnecting", "paused", "ended"]
STATES: tuple[State, ...] = get_args(State)
COUNTS = (
    *("epoch", "frames", "dropped", "lag_s", "worst_lag_s", "latency_s"),
    *("drift_ppm", "drift_over_s", "ledger", "kept"),
)
PERCENTILES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
_STATES: Mapping[str, State] = {
    "starting": "connecting",
    "live": "live",
    "stalled": "stalled",
    "lost": "reconnecting",
    "ended": "ended",
}


@dataclass(frozen=True, slots=True)
class Fared:
    """One stream as it is.

    Attributes:
        state: connecting, live, stalled, reconnecting, paused, ended.
        reason: why it is no better; empty where there is nothing to say.
        camera: its counts; None of a recording, and of a camera before anything was heard of it.
        latency: from capture to the sink; None where `camera` is.
        wanted: what it is to be.
        share: of a recording, part of it that is decoded, 0 to 1; None where nobody knows.
        kept: what of it is on disk until the sink takes it; None where nothing is.
    """

    stream: str
    state: State
    reason: str
    camera: Camera | None
    latency: Latency | None
    wanted: WantedStream
    share: float | None = None
    kept: Kept | None = None

    def plain(self, since_us: int) -> dict[str, Any]:
        """JSON values, secrets masked; the state began then, microseconds since the epoch."""
        facts = {"id": self.stream, "state": self.state, "reason": self.reason}
        facts |= {"since": rfc3339(since_us)}
        config = mask_values(self.wanted.config.model_dump(mode="json", exclude_none=True))
        share = None if self.share is None else round(self.share, 4)
        return {**facts, **self._counts(), "share": share, "config": config}

    def _counts(self) -> dict[str, Any]:
        camera = self.camera
        if camera is None:
            return dict.fromkeys(COUNTS)
        ppm, over_s = camera.drift or (None, None)
        return {
            "epoch": camera.epoch,
            "frames": camera.frames,
            "dropped": dict(camera.dropped),
            "lag_s": round(camera.lag_s, 3),
            "worst_lag_s": round(camera.worst_lag_s, 3),
            "latency_s": _percentiles(self.latency or Latency()),
            "drift_ppm": ppm if ppm is None else round(ppm, 1),
            "drift_over_s": over_s if over_s is None else round(over_s),
            "kept": self.kept and _plain(self.kept),
            "ledger": {name: dict(counts) for name, counts in camera.ledger.items()},
        }


def fared(
    wanted: Mapping[str, WantedStream],
    here: Collection[str],
    tally: Tally,
    refused: Mapping[str, str],
) -> dict[str, Fared]:
    """Every stream that is wanted.

    Args:
        wanted: what they are to be.
        here: those that are in the run.
        tally: of the run.
        refused: stream -> why the run did not take it.
    """
    ended = {outcome.stream: outcome for outcome in tally.outcomes}
    return {
        name: _one(
            name,
            stream,
            name in here,
            tally.cameras.get(name),
            tally.latencies.get(name),
            ended.get(name),
            refused.get(name, ""),
            tally.shares.get(name),
            tally.kept.get(name),
        )
        for name, stream in wanted.items()
    }


def _one(
    name: str,
    wanted: WantedStream,
    here: bool,
    camera: Camera | None,
    latency: Latency | None,
    ended: Outcome | None,
    refused: str,
    share: float | None,
    kept: Kept | None,
) -> Fared:
    # Of a recording, whose frames tell.
    state: State = "connecting" if share is None else "live"
    why = ""
    if camera:
        state, why = _STATES[camera.state], camera.why
    if wanted.paused:
        state, why = "paused", "finishing what is decoded" if here else ""
    elif refused:
        state, why = "connecting", refused
    elif ended is not None and not here:
        state, why = "ended", ended.detail or ended.status
    elif state == "ended":  # it is to come again, or its last records are on their way
        state = "connecting"
    return Fared(name, state, mask(why), camera, latency, wanted, share, kept)


def _plain(kept: Kept) -> dict[str, Any]:
    since = rfc3339(kept.oldest_us)
    return {"records": kept.records, "bytes": kept.size_bytes, "since": since}


def _percentiles(latency: Latency) -> dict[str, float | None]:
    found = {name: latency.total.quantile(part) for name, part in PERCENTILES.items()}
    return {name: value if value is None else round(value, 3) for name, value in found.items()}
