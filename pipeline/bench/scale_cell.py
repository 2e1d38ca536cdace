"""One cell of `bench scale`: so many streams in one runtime, and what they took. Frozen values."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from operators.weights.backbone_choice import RANDOM
from pipeline.bench.workload import Runtime
from pipeline.configuration.config import (
    Config,
    OperatorConfig,
    SamplingConfig,
    SinkConfig,
    StreamConfig,
)


@dataclass(frozen=True, slots=True)
class Cell:
    """What is to run.

    Attributes:
        fps: frames per second of all streams together.
        seconds: for which it is measured, once all streams bring frames.
        short_side: of the square frames, pixels.
        kafka: `HOST:PORT[,HOST:PORT]` of a broker; "": an SQLite file in the folder.
        folder: where it may write; its own.
    """

    runtime: Runtime
    streams: int
    fps: float
    seconds: float
    short_side: int
    kafka: str
    folder: str

    @property
    def answer(self) -> Path:
        """Where what it took goes, as JSON."""
        return Path(self.folder, "answer.json")

    @property
    def words(self) -> Path:
        """Where it says what went wrong."""
        return Path(self.folder, "stderr.txt")

    @property
    def period_s(self) -> float:
        """From a stream's frame to its next."""
        return self.streams / self.fps

    @property
    def config(self) -> Config:
        """The job. A frame is a chunk and a commit of its own, however often a stream has one: else
        the numbers of streams would differ in that too."""
        names = [f"camera-{number:05}" for number in range(self.streams)]
        return Config(
            streams={name: StreamConfig(url=f"rtsp://localhost/{name}") for name in names},
            weights=RANDOM,
            sampling=SamplingConfig(fps=1 / self.period_s),
            operators={"embedding": OperatorConfig()},
            short_side=self.short_side,
            chunk_ms=1,
            sink=SinkConfig(uri=self._sink),
            runtime=self.runtime,
            address="local" if self.runtime == "ray" else None,
        )

    @property
    def _sink(self) -> str:
        if self.kafka:
            return f"kafka://{self.kafka}?topic_prefix=bench-scale"
        return f"sqlite:{Path(self.folder, 'results.db')}"

    def to_json(self) -> str:
        """One line."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Cell:
        """What `to_json` wrote."""
        return cls(**json.loads(text))


@dataclass(frozen=True, slots=True)
class Taken:
    """What a cell took while it was measured.

    Attributes:
        frames: through the engine.
        batches: of them.
        dropped: frames that came too fast for the job.
        cpu_s: role (`pipeline.bench.roles`) -> CPU time, seconds.
        memory_bytes: role -> resident memory that nobody else shares, at the end.
        store_bytes: most that Ray's object store has held.
        latency_s: median from a frame to its record in the sink.
    """

    seconds: float
    frames: int
    batches: int
    dropped: int
    cpu_s: Mapping[str, float]
    memory_bytes: Mapping[str, int]
    store_bytes: int
    latency_s: float | None

    def to_json(self) -> dict[str, Any]:
        """JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Taken:
        """What `to_json` gave."""
        return cls(**values)
