"""A configuration -> an engine that is ready to step, and the identity of what it will say.

The one place that knows how backbone, heads, operators and sampling go together. Runs in the
process that will own the device.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import torch

from operators.archive.backbone import KeptBackbone
from operators.backbones.architectures import architecture
from operators.backbones.backbone import Backbone
from operators.backbones.loaded import LoadedBackbone
from operators.backbones.machine import this_machine
from operators.backbones.start import start_backbone
from operators.errors import Absent, UsageError
from operators.operator import Operator
from operators.pictures.operator import Frames
from operators.registry import build_operator
from operators.variant import Computation, RecordKind
from operators.weights.head_needs import head_choice
from operators.weights.head_request import MissingHead, none_runs
from operators.weights.load import load_backbone
from operators.zones.operator import Zones
from pipeline.allocator import keep_freed_memory
from pipeline.archive.keeping import Keeping
from pipeline.calibrate.use import use_calibrations
from pipeline.configuration.config import Config
from pipeline.configuration.head_match import heads_of
from pipeline.engine.identity import Identity, label_sets
from pipeline.engine.kept import keeping_of, kept_backbone, kept_placement
from pipeline.engine.lane import Lane
from pipeline.engine.placement import Placement
from pipeline.engine.shard import Shard
from pipeline.engine.step import Engine
from pipeline.engine.tracer import Tracer
from pipeline.engine.variants import Variants
from pipeline.media.scaler import FILTER_NAME
from pipeline.records.message import Publisher
from pipeline.records.pictured import PicturedPublisher
from pipeline.records.traced import TracedPublisher
from pipeline.sinks.sink import Sink
from pipeline.sinks.spill.folder import SpillFolder
from pipeline.sinks.uri import sink_name
from pipeline.stream.feed import Feed
from pipeline.stream.progress import Progress
from pipeline.stream.sampling import HALF
from pipeline.stream.spec import StreamSpec

# Users' settings of oneDNN, which computes on CPUs, that change how its products round.
_ONEDNN = tuple(
    f"{prefix}_{name}"
    for prefix in ("ONEDNN", "DNNL")
    for name in ("MAX_CPU_ISA", "DEFAULT_FPMATH_MODE")
)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Assembly:
    """An engine and what it is.

    Attributes:
        operators: by their keys in the configuration, those that run.
        keeping: what keeps the features; None: nothing does.
    """

    engine: Engine
    identity: Identity
    operators: Mapping[str, Operator]
    keeping: Keeping | None = None

    def shard(
        self,
        config: Config,
        feed: Feed,
        sink: Sink,
    ) -> Shard:
        """The loop that runs streams on this engine."""
        names = {key: one.name for key, one in self.operators.items()}
        steps = {HALF: HALF, **names}  # one that has no head does not run
        tracer, spill = _tracer(config.trace), config.sink.spill
        return Shard(
            self.engine,
            feed,
            sink,
            self._lanes(config),
            most_open=config.decoders,
            patience_s=config.patience_s,
            sink_name=sink_name(config.sink.uri),
            max_age_s=config.max_age_s,
            overload=[steps[key] for key in config.overload if key in steps],
            drain_s=config.drain_s,
            tracer=tracer,
            spill=SpillFolder.of(config.sink.uri, spill.folder, spill.most_bytes),
        )

    def _lanes(self, config: Config) -> Callable[[StreamSpec, Progress], Lane]:
        publisher = self._publisher(config)

        def make(spec: StreamSpec, progress: Progress) -> Lane:
            rules = spec.rules
            placements = [
                Placement(self.operators[key], spec.samplings[rules[key]], rules[key], own)
                for key, own in self.identity.variants(spec).items()
            ]
            for one in placements:
                one.operator.place(spec.stream, spec.places)
            if self.keeping:
                placements.append(kept_placement(self.keeping, spec, progress.job))
            return Lane(spec, progress, placements, publisher(spec, progress.job))

        return make

    def _publisher(self, config: Config) -> Callable[[StreamSpec, str], Publisher]:
        model, ratio = self.identity.model, config.trace

        def make(spec: StreamSpec, job: str) -> Publisher:
            stream, live = spec.stream, spec.live
            if config.deadletter_picture:
                pixels_of = self.engine.pixels_of
                return PicturedPublisher(stream, job, model, ratio, pixels_of, live=live)
            if ratio:
                return TracedPublisher(stream, job, model, ratio, live=live)
            return Publisher(stream, job, model, live=live)

        return make


def assemble(config: Config) -> Assembly:
    """Load weights and heads and build the engine on the best device there is.

    Args:
        config: what to run.

    Raises:
        WeightsError: weights or a head cannot be had or do not fit.
        UsageError: an unknown model, operator or setting, no operator that can run, or what `trace`
            needs is not installed.
    """
    _require_what_traces(config)
    _refuse_other_filters(config)
    keep_freed_memory()
    arch = architecture(config.model)
    loaded = load_backbone(arch, config.weights, seed=config.seed)
    model = loaded.name
    by_key, missing = _operators(config, loaded)
    notes = list(missing.values())
    if config.calibrations is not None:
        notes += use_calibrations(by_key, Path(config.calibrations), model)
    by_key = _joined(by_key, missing, config)
    operators = list(by_key.values())
    backbone = kept_backbone(config, loaded, by_key) or start_backbone(
        loaded,
        blocks=[block for operator in operators for block in operator.layers],
        batch_size=config.batch_size,
        threads=config.threads,
        backend=config.backend,
        heads_precision=config.heads_precision,
    )
    computation = computation_of(backbone)
    keeping = keeping_of(config, backbone, computation)
    identity = Identity(
        model=model,
        operators={key: _variants(one, computation) for key, one in by_key.items()},
        labels=label_sets(by_key),
        notes=(*_worth(loaded), *notes, f"backend: {backbone.identity} ({backbone.choice.why})"),
        keeps=keeping.identity if keeping else "",
    )
    engine = Engine(backbone, [*operators, keeping] if keeping else operators)
    return Assembly(engine, identity, by_key, keeping)


def _require_what_traces(config: Config) -> None:
    """Now, not when the weights are there; an import says what is missing."""
    if config.trace:
        import_module("pipeline.engine.otlp")


def _tracer(ratio: float) -> Tracer | None:
    if not ratio:
        return None
    from pipeline.engine.otlp import OtlpSender

    return Tracer(ratio, OtlpSender())


def _operators(
    config: Config, loaded: LoadedBackbone
) -> tuple[dict[str, Operator], dict[str, str]]:
    """Every operator that can run, by its key in the configuration, and why the others cannot."""
    operators: dict[str, Operator] = {}
    cannot: dict[str, str] = {}
    for key, own in config.operators.items():
        try:
            operators[key] = build_operator(
                key,
                own.settings,
                architecture=loaded.model.architecture,
                backbone_sha256=loaded.sha256,
                head=head_choice(key, config.heads, config.weights),
                random_seed=config.seed if loaded.untrained else None,
                rendered_only=loaded.rendered_only,
            )
        except MissingHead as missing:
            cannot[key] = str(missing)
    if not operators:
        raise none_runs(list(cannot.values()))
    return operators, cannot


def _joined(
    by_key: Mapping[str, Operator], missing: Mapping[str, str], config: Config
) -> dict[str, Operator]:
    """The operators, each with those whose numbers it reads.

    Args:
        by_key: those that can run.
        missing: why the others cannot.
        config: of the job.

    Raises:
        UsageError: one of those does not run, or dead letters would show what pictures hide.
    """
    try:
        ready = {key: one.beside(by_key) for key, one in by_key.items()}
    except Absent as absent:
        if absent.operator not in missing:
            raise
        raise UsageError(f"{absent.need}; {missing[absent.operator]}") from absent
    for key, one in by_key.items():
        if isinstance(one, Frames) and one.blur and config.deadletter_picture:
            raise UsageError(
                "deadletter_picture shows frames as they are, and operators.frames.blur hides "
                f"{', '.join(one.blur)}; leave one of the two out"
            )
        if isinstance(one, Frames) and one.blur and ready[key].untrained:
            log.warning("frames: blur hides what untrained weights find, which is chance")
    return ready


def _refuse_other_filters(config: Config) -> None:
    """A head that saw frames scaled in another way was trained on other pixels."""
    for head in heads_of(config):
        trained = head.needs.filter
        if trained not in (None, FILTER_NAME):
            raise UsageError(
                f"the {head.operator} head was trained on frames scaled by {trained!r}, this "
                f"release scales by {FILTER_NAME!r}; train it again"
            )


def _variants(operator: Operator, computation: Computation) -> Variants:
    kinds = {topic: RecordKind.of(operator, topic) for topic in operator.topics}
    findable = operator.findable if isinstance(operator, Zones) else None
    return Variants(kinds, computation, operator.stream_hashes, operator.placed, findable)


def computation_of(backbone: Backbone | KeptBackbone) -> Computation:
    """What a backbone computes, whatever the size of its pictures."""
    arch = backbone.loaded.model.architecture
    return Computation(
        architecture=arch.name,
        backbone_sha256=backbone.loaded.sha256,
        preprocessing=f"{FILTER_NAME}, {arch.statistics.name}",
        engine=backbone.identity,
        dtype=str(backbone.choice.dtype).removeprefix("torch."),
        device=device_kind(backbone.device),
    )


def device_kind(device: torch.device) -> str:
    """What rounds alike: one GPU model, or CPUs with the same vector and matrix code."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    told = [f"{name}={os.environ[name]}" for name in _ONEDNN if name in os.environ]
    kind = ("cpu", torch.backends.cpu.get_cpu_capability(), *this_machine().features, *told)
    return " ".join(kind)


def _worth(loaded: LoadedBackbone) -> list[str]:
    """What records of these weights are worth, where that has to be said."""
    if loaded.untrained:
        return ["weights are RANDOM: records are well-formed and mean nothing"]
    if loaded.rendered_only:
        return [
            "weights are the demo's, which know rendered scenes alone: records of footage say "
            "outofdomain, and their numbers are wrong"
        ]
    return []
