"""Everything that can be configured, as validated models; docs/configuration.md lists the keys.

Plain values in -> frozen models out; `pipeline.configuration.resolve` makes the values from file
and command line. Passwords stay out of every repr. Knows nothing of torch, decoding or sinks.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    StringConstraints,
    ValidationInfo,
    field_validator,
    model_validator,
)

from operators.backbones.architectures import ARCHITECTURES, DEMO_MODEL
from operators.moment import microseconds
from operators.weights.backbone_choice import AUTO, DEMO
from pipeline.configuration.cutting import Wanted
from pipeline.configuration.gated import GateConfig
from pipeline.configuration.kept import KeepConfig, whole_path
from pipeline.configuration.placed import AlertConfig, PlaceName, ZoneConfig
from pipeline.configuration.values import (
    all_known,
    empty_tables,
    forward,
    gpu_share,
    not_empty,
    rfc3339_moment,
    within_picture,
)
from pipeline.media.device import Device
from pipeline.stream.sampling import HALF, Sampling
from pipeline.stream.spec import Drop, TimeSource

STREAM_ID = r"^[A-Za-z0-9._-]{1,128}$"
SPILL_GIB = 8.0  # of each engine where nothing is said
OPERATORS = ("depth", "segmentation", "action", "embedding")  # what runs where none is named

# pydantic's own constraint would refuse names of files that are not UTF-8.
Place = Annotated[str, AfterValidator(not_empty), AfterValidator(whole_path)]
GpuShare = Annotated[float | Literal["auto"], BeforeValidator(gpu_share)]
Moment = Annotated[datetime, BeforeValidator(rfc3339_moment)]
StreamId = Annotated[str, StringConstraints(pattern=STREAM_ID)]
Span = Annotated[tuple[NonNegativeFloat, PositiveFloat], AfterValidator(forward)]
Edges = Annotated[tuple[float, float, float, float], AfterValidator(within_picture)]
Seconds = Annotated[float, Field(gt=0, le=86_400)]  # to wait; threads cannot wait for ever


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class SamplingConfig(_Model):
    """Which frames are taken: exactly one of the four."""

    fps: PositiveFloat | None = None
    every: PositiveInt | None = None
    keyframes: Literal[True] | None = None
    all: Literal[True] | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        given = list(self.model_dump(exclude_none=True))
        if len(given) != 1:
            raise ValueError(f"want exactly one of fps, every, keyframes and all, got {given}")
        return self

    @property
    def rule(self) -> Sampling:
        """The same as the sampler's own type."""
        return _sampling(self)


class OperatorConfig(BaseModel):
    """One operator: its own sampling, where it has one, and whatever settings it defines itself."""

    model_config = ConfigDict(extra="allow", frozen=True, allow_inf_nan=False)

    fps: PositiveFloat | None = None
    every: PositiveInt | None = None
    keyframes: Literal[True] | None = None
    all: Literal[True] | None = None

    @model_validator(mode="after")
    def _at_most_one(self) -> Self:
        given = [name for name in type(self).model_fields if getattr(self, name) is not None]
        if len(given) > 1:
            raise ValueError(f"want at most one of fps, every, keyframes and all, got {given}")
        return self

    @property
    def settings(self) -> dict[str, Any]:
        """What the operator itself is given; it refuses what it does not know."""
        return dict(self.model_extra or {})


class RecordConfig(_Model):
    """Where what a live stream brings is kept, and how much of it."""

    folder: Place
    max_gib: PositiveFloat = 20.0
    max_days: PositiveFloat | None = None


class StreamConfig(_Model):
    """One named source."""

    url: Place = Field(repr=False)
    start_time: Moment | None = None
    latency_ms: PositiveInt | None = None
    clock: TimeSource | None = None
    priority: int = 0
    transport: Literal["tcp", "udp"] | None = None
    follow: bool = False
    sampling: SamplingConfig | None = None
    operators: Annotated[list[str], Field(min_length=1)] | None = None
    short_side: PositiveInt | None = None
    decode: Device | None = None
    region: Edges | None = None
    drop: Drop | None = None
    record: RecordConfig | None = None
    gate: GateConfig | None = None
    shots: Wanted = None
    zones: dict[PlaceName, ZoneConfig] = Field(default_factory=dict)
    alerts: dict[PlaceName, AlertConfig] = Field(default_factory=dict)

    @property
    def start_time_us(self) -> int | None:
        """Event time of its first frame, microseconds since the epoch."""
        return microseconds(self.start_time)


class SpillConfig(_Model):
    """Where results of live streams are kept while a broker is away."""

    folder: str | None = None
    max_gib: NonNegativeFloat | None = None

    @property
    def most_bytes(self) -> int:
        """Of the log of one engine; 0: nothing is kept."""
        return int((SPILL_GIB if self.max_gib is None else self.max_gib) * (1 << 30))


class SinkConfig(_Model):
    """Where results go; in a file a bare URI will do."""

    uri: Place = Field(default="sqlite:results.db", repr=False)
    settings: dict[str, Any] = Field(default_factory=dict, repr=False)
    spill: SpillConfig = SpillConfig()


class Config(_Model):
    """One run."""

    model: str = "dinov2_vits14"
    weights: str = AUTO
    seed: NonNegativeInt = 0
    heads: dict[str, str] = Field(default_factory=dict)
    operators: Annotated[dict[str, OperatorConfig], BeforeValidator(empty_tables)] = Field(
        default_factory=lambda: {name: OperatorConfig() for name in OPERATORS}, min_length=1
    )

    sources: list[Place] = Field(default_factory=list, repr=False)
    streams: dict[StreamId, StreamConfig] = Field(default_factory=dict)
    join: bool = False
    layout: str | None = None
    timezone: str | None = None
    calibrations: str | None = None
    start_time: Moment | None = None
    sampling: SamplingConfig = SamplingConfig(fps=5.0)
    span_s: Span | None = None
    short_side: PositiveInt = 224
    max_pixels: PositiveInt = 4096 * 4096
    damaged: Literal["drop", "keep"] = "drop"
    deinterlace: bool = True
    gate: GateConfig | None = None
    shots: Wanted = None
    decode: Device = "cpu"
    latency_ms: PositiveInt = 1000
    clock: TimeSource = "arrival"
    overload: list[str] = Field(default_factory=list)
    chunk_ms: PositiveInt = 500
    stall_s: Seconds = 10.0
    drop: Drop = "oldest"
    buffer_frames: PositiveInt = 64
    max_age_s: PositiveFloat = 5.0
    drain_s: Seconds = 10.0
    spool_bytes: PositiveInt = 8 << 30

    sink: SinkConfig = SinkConfig()
    features: KeepConfig | None = None
    patience_s: NonNegativeFloat | None = None
    deadletter_picture: bool = False
    trace: Annotated[float, Field(ge=0, le=1)] = 0.0
    runtime: Literal["ray", "inline"] = "ray"
    address: str | None = None
    engines: PositiveInt = 1
    engines_max: PositiveInt | None = None
    spare_engines: NonNegativeInt = 0
    gpus_per_engine: GpuShare = "auto"
    wait_for_room: bool = False
    decoders: PositiveInt = 2
    decoders_max: PositiveInt | None = None
    batch_size: PositiveInt | None = None
    threads: PositiveInt | None = None
    backend: Literal["auto", "torch", "openvino", "openvino-int8"] = "auto"
    heads_precision: Literal["float32", "tf32", "bfloat16"] = "float32"

    @model_validator(mode="before")
    @classmethod
    def _bare_sink(cls, values: Any) -> Any:
        if isinstance(values, dict) and isinstance(values.get("sink"), str):
            return {**values, "sink": {"uri": values["sink"]}}
        return values

    @model_validator(mode="before")
    @classmethod
    def _demo_weights_have_one_model(cls, values: Any) -> Any:
        if isinstance(values, dict) and values.get("weights") == DEMO:
            return {"model": DEMO_MODEL, **values}
        return values

    @field_validator("short_side")
    @classmethod
    def _holds_a_patch(cls, value: int, info: ValidationInfo) -> int:
        arch = ARCHITECTURES.get(info.data.get("model", ""))
        if arch is not None and value < arch.patch:
            raise ValueError(f"should be at least {arch.patch}, a patch of {arch.name}")
        return value

    @model_validator(mode="after")
    def _heads_have_operators(self) -> Self:
        all_known("heads", self.heads, {*OPERATORS, *self.operators})
        return self

    @model_validator(mode="after")
    def _gives_up_what_runs(self) -> Self:
        all_known("overload", self.overload, {HALF, *self.operators})
        if len(set(self.overload)) < len(self.overload):
            raise ValueError(f"overload names something twice: {', '.join(self.overload)}")
        return self

    @model_validator(mode="after")
    def _inline_is_one_process(self) -> Self:
        ray_only: dict[str, object] = {"engines": 1, "address": None, "gpus_per_engine": "auto"}
        ray_only |= {"wait_for_room": False, "engines_max": None, "spare_engines": 0}
        ray_only |= {"decoders_max": None}
        given = [name for name, default in ray_only.items() if getattr(self, name) != default]
        if self.runtime == "inline" and given:
            raise ValueError(f"only runtime: ray takes {' and '.join(given)}")
        return self

    @model_validator(mode="after")
    def _bounds_are_in_order(self) -> Self:
        for name, most in (("engines", self.engines_max), ("decoders", self.decoders_max)):
            least = getattr(self, name)
            if most is not None and most < least:
                raise ValueError(f"{name}_max is {most}, which is fewer than {name}, {least}")
        return self

    @property
    def start_time_us(self) -> int | None:
        """Event time of the first frame of sources without their own, microseconds."""
        return microseconds(self.start_time)

    def sampling_of(self, operator: str, stream: SamplingConfig | None = None) -> Sampling:
        """Which frames an operator takes: its own rule, else the stream's own, else the run's."""
        own = self.operators.get(operator)
        if own is None or not any(getattr(own, mode) for mode in SamplingConfig.model_fields):
            return (stream or self.sampling).rule
        return _sampling(own)

    def plain(self) -> Mapping[str, Any]:
        """The whole configuration as JSON values, passwords included."""
        return self.model_dump(mode="json", exclude_none=True)


def _sampling(table: SamplingConfig | OperatorConfig) -> Sampling:
    if table.fps is not None:
        return Sampling("fps", table.fps)
    if table.every is not None:
        return Sampling("every", table.every)
    return Sampling("keyframes" if table.keyframes else "all", None)
