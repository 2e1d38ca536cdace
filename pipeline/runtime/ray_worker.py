"""One engine of a job on Ray, as its driver knows it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import ray
from ray.actor import ActorHandle

from pipeline.engine.tally import Tally
from pipeline.records.record import Message
from pipeline.runtime.ray_room import Ask
from pipeline.runtime.ray_watch import Pulse
from pipeline.stream.spec import StreamSpec


@dataclass(slots=True, eq=False)
class Worker:
    """One engine of the job and the streams that stay on it."""

    index: int
    specs: list[StreamSpec]
    asked: Ask
    engine: ActorHandle
    pulse: Pulse[Tally]
    begun_s: float
    labels: list[Message] = field(default_factory=list)
    call: ray.ObjectRef[Any] | None = None
    claimed: bool = False  # an engine has taken the streams over
    up: bool = False  # this engine has taken them over
    told: bool = False  # this engine, to stop
    waits: bool = False  # this engine, for room, and that has been said
    over: bool = False  # all its streams have ended
    before: Tally = field(default_factory=Tally)  # what its dead predecessors did
    tally: Tally = field(default_factory=Tally)
    deaths: int = 0  # since frames were committed
