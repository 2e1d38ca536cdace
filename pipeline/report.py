"""What a job did, told at its end: as text for a person, or as one JSON object. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields

from pipeline.engine.camera import Camera, told
from pipeline.engine.observer import shares
from pipeline.records.outage import span
from pipeline.secrets import mask


@dataclass(frozen=True, slots=True)
class Report:
    """What a job did.

    Attributes:
        frames: sampled frames of this run that were computed.
        seconds: from start to end.
        records: topic -> records written in this run.
        streams: stream -> how it ended (`ok`, `degraded`, `rejected`, `stopped`).
        failures: stream -> why, of those that are not ok.
        sink: where the records lie, secrets masked.
        repeated: records that were there already.
        conflicting: records whose id was there with another payload: a bug.
        away_s: how long the sink was away.
        undelivered: camera -> sampled frames without records, because it was away to the end.
        cameras: live stream -> how it fared.
        stages: what engines were at -> seconds (`pipeline.engine.observer`).
        unchanged: sampled frames of this run that a gate left out.
    """

    frames: int
    seconds: float
    records: Mapping[str, int]
    streams: Mapping[str, str]
    sink: str
    failures: Mapping[str, str] = field(default_factory=dict)
    repeated: int = 0
    conflicting: int = 0
    away_s: float = 0.0
    undelivered: Mapping[str, int] = field(default_factory=dict)
    cameras: Mapping[str, Camera] = field(default_factory=dict)
    stages: Mapping[str, float] = field(default_factory=dict)
    unchanged: int = 0

    def json(self) -> str:
        """The same for a script: one JSON object."""
        # any mapping; `asdict` would break a Counter
        tables = ("records", "streams", "failures", "undelivered")
        values = {one.name: getattr(self, one.name) for one in fields(self)}
        plain = values | {name: dict(values[name]) for name in tables}
        plain["failures"] = {stream: mask(why) for stream, why in self.failures.items()}
        plain["stages"] = {name: round(seconds, 3) for name, seconds in self.stages.items()}
        plain["cameras"] = {name: camera.plain() for name, camera in self.cameras.items()}
        return json.dumps(plain, ensure_ascii=False)

    def lines(self) -> list[str]:
        """The same for a person."""
        rate = self.frames / self.seconds if self.seconds else 0.0
        outcomes = list(self.streams.values())
        ended = ", ".join(f"{outcomes.count(kind)} {kind}" for kind in dict.fromkeys(outcomes))
        still = f"; {self.unchanged} more were unchanged" if self.unchanged else ""
        text = [
            f"{self.frames} frames in {self.seconds:.1f} s, {rate:.1f} frames/s{still}",
            f"streams: {ended or 'none'}",
            *(f"  {stream}: {why}" for stream, why in self.failures.items()),
            *(f"  {stream}: {_fared(camera)}" for stream, camera in self.cameras.items()),
            *(f"{topic:>22} {count:>8} records" for topic, count in sorted(self.records.items())),
        ]
        if self.repeated:
            text.append(f"{self.repeated} records were there already")
        if self.conflicting:
            text.append(f"{self.conflicting} CONFLICTING records (same id, other payload): a bug")
        if self.away_s:
            text.append(f"the sink was away for {span(self.away_s)} and came back")
        for stream, frames in self.undelivered.items():
            text.append(f"{stream}: {frames} frames NOT DELIVERED")
        if self.stages:
            text.append(f"time: {shares(self.stages)}")
        return [*text, f"in {self.sink}"]


def _fared(camera: Camera) -> str:
    text = f"{camera.frames} frames, records at most {camera.worst_lag_s:.1f} s old"
    return f"{text}, {told(camera.dropped)}" if camera.dropped else text
