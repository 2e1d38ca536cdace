"""What one contender is told and what it answers, across the border of its process."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pipeline.bench.workload import Workload

CONTENDERS = {
    "plain": "PyAV + transformers Dinov2Model (SDPA, float32), one loop",
    "inline": "dinostream, inline",
    "ray": "dinostream, Ray",
    "decode": "decoding alone",
    "engine": "backbone and heads alone, frames in memory",
}


@dataclass(frozen=True, slots=True)
class Task:
    """One run of one contender.

    Attributes:
        contender: a key of `CONTENDERS`.
        clip: path.
        folder: where it may write; its own.
    """

    contender: str
    workload: Workload
    clip: str
    folder: Path

    @property
    def database(self) -> Path:
        """Where its records go."""
        return self.folder / "results.db"

    @property
    def answer(self) -> Path:
        """Where its `Timing` goes, as JSON."""
        return self.folder / "timing.json"

    @property
    def words(self) -> Path:
        """Where it says what went wrong."""
        return self.folder / "stderr.txt"

    def to_json(self) -> str:
        """One line."""
        values = {
            "contender": self.contender,
            "workload": self.workload.to_json(),
            "clip": self.clip,
            "folder": str(self.folder),
        }
        return json.dumps(values)

    @classmethod
    def from_json(cls, text: str) -> Task:
        """What `to_json` wrote."""
        values = json.loads(text)
        workload = Workload.from_json(values["workload"])
        return cls(values["contender"], workload, values["clip"], Path(values["folder"]))


@dataclass(frozen=True, slots=True)
class Timing:
    """When a contender did what, by the wall clock, microseconds since the epoch.

    Attributes:
        began_us: everything is loaded; the first frame is asked for.
        first_us: the first record is being committed; where there are records.
        ended_us: the last record is being committed, or the last piece of work is done.
        frames: sampled.
        decoder_bytes: peak resident memory of its decode process, where it has one.
        batches: passes through the backbone, where it has one.
    """

    began_us: int
    ended_us: int
    frames: int
    first_us: int | None = None
    decoder_bytes: int | None = None
    batches: int | None = None

    @property
    def seconds(self) -> float:
        """First request to last commit."""
        return (self.ended_us - self.began_us) / 1e6

    def to_json(self) -> str:
        """One line."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Timing:
        """What `to_json` wrote."""
        values: Mapping[str, Any] = json.loads(text)
        return cls(**values)
