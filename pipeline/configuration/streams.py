"""A configuration's sources -> the specifications that decode hosts open."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from operators.backbones.architectures import architecture
from operators.errors import UsageError
from pipeline.configuration.config import Config, StreamConfig
from pipeline.configuration.cutting import ShotsConfig, shots_of
from pipeline.configuration.followed import plan_followed
from pipeline.configuration.footage import layout_of
from pipeline.configuration.gated import GateConfig, gate_of
from pipeline.configuration.head_match import check_size
from pipeline.configuration.kept import refuse_unlike
from pipeline.configuration.placed import places_of
from pipeline.configuration.source_plan import SourcePlan
from pipeline.configuration.sources import LIVE_SCHEMES, plan_recordings, plan_stream
from pipeline.configuration.values import hint
from pipeline.media.device import Device
from pipeline.media.region import Region
from pipeline.media.tape import Taping
from pipeline.stream.gate import Gate
from pipeline.stream.sampling import Sampling
from pipeline.stream.spec import StreamSpec

Samplings = Mapping[str, Sampling]

# Nobody waits for a recording's first frames, and a chunk cut short is a batch of padding.
RECORDED_CHUNK_MS = 10_000


def samplings_of(config: Config, stream: str = "", own: StreamConfig | None = None) -> Samplings:
    """Operator's key -> which frames it takes, of the operators that run on a stream.

    Args:
        config: what all streams share.
        stream: its name.
        own: what is its own; None: nothing.

    Raises:
        UsageError: it names an operator that does not run.
    """
    picked = config.operators if own is None or own.operators is None else own.operators
    for key in picked:
        if key not in config.operators:
            known = hint(key, list(config.operators))
            raise UsageError(
                f"streams.{stream}.operators names {key!r}, which is no operator that runs; {known}"
            )
    sampling = own.sampling if own else None
    return {key: config.sampling_of(key, sampling) for key in config.operators if key in picked}


def stream_specs(config: Config, *, live: bool) -> list[StreamSpec]:
    """Every stream of a job, in a fixed order.

    Args:
        config: its sources and named streams, sampling and limits.
        live: http(s) streams are followed like cameras.

    Raises:
        UsageError: nothing there, a name twice, an unknown protocol or scene, or a key that is not
            for recordings.
    """
    if layout_of(config) and live:
        raise UsageError("layout is of a replay; `run` follows a folder that grows (follow: true)")
    samplings, start_us = samplings_of(config), config.start_time_us
    specs = [
        _checked(_spec(config, plan, samplings, start_us), plan, live=live)
        for plan in _recordings(config, config.sources)
    ]
    specs += [stream_spec(config, name, one, live=live) for name, one in config.streams.items()]
    if config.clock != "arrival" and not live and not all(spec.taped for spec in specs):
        raise UsageError("clock: capture is of live streams alone; leave it out of a replay")
    _refuse_one_name_twice([spec.stream for spec in specs])
    return specs


def stream_spec(config: Config, name: str, stream: StreamConfig, *, live: bool) -> StreamSpec:
    """One named stream, as `stream_specs` has it.

    Raises:
        UsageError: an unknown protocol, scene or operator, no such file, a size at which a head
            says nothing sound, a camera that is to wait, or a key that is not for such a source.
    """
    _refuse_transport(name, stream)
    if config.features:
        _refuse_dots(name, "features")
    samplings = samplings_of(config, name, stream)
    if stream.short_side is not None:
        check_size(config, name, stream.short_side, samplings)
    start_us = config.start_time_us if stream.start_time is None else stream.start_time_us
    if stream.follow:
        plan = plan_followed(name, stream, config, live=live)
    else:
        plan = _named(name, stream.url, config, live=live)
    drop = stream.drop or config.drop
    _refuse_to_block(plan, drop)
    _refuse_clock(name, stream, plan)
    spec = _spec(config, plan, samplings, start_us, stream.shots)
    spec = replace(spec, follow=stream.follow)
    chunk_ms = config.chunk_ms if spec.endless else spec.chunk_ms
    latency_ms = stream.latency_ms or config.latency_ms
    spec = replace(
        spec,
        latency_ms=latency_ms,
        clock=stream.clock or config.clock,
        priority=stream.priority,
        transport=stream.transport or "tcp",
        short_side=stream.short_side or spec.short_side,
        decode=_decoding(config, stream.decode),
        drop=drop,
        region=Region(*stream.region) if stream.region else None,
        gate=_gate(plan, stream.gate or config.gate),
        places=places_of(name, stream.zones, stream.alerts, samplings),
        tape=_taping(name, stream, plan),
        chunk_ms=min(chunk_ms, max(1, latency_ms // 2)) if spec.endless else chunk_ms,
    )
    return _checked(spec, plan, live=live)


def _checked(spec: StreamSpec, plan: SourcePlan, *, live: bool) -> StreamSpec:
    if spec.kept:
        refuse_unlike(spec, plan, live=live)
    return spec


def _refuse_transport(name: str, stream: StreamConfig) -> None:
    """A key that does nothing would be taken for one that does."""
    scheme = stream.url.partition("://")[0].lower()
    if stream.transport is None or scheme == "rtsp":
        return
    if scheme != "rtsps":
        raise UsageError(f"streams.{name}.transport is of rtsp:// cameras alone; leave it out here")
    if stream.transport == "udp":
        raise UsageError(
            f"streams.{name}.transport: rtsps:// is encrypted over tcp, and over udp nothing would "
            "be; leave it out, or use rtsp://"
        )


def _recordings(
    config: Config, sources: Sequence[str], stream: str | None = None
) -> list[SourcePlan]:
    if not sources:
        return []
    return plan_recordings(
        sources,
        stream=stream,
        join=config.join,
        spool_bytes=config.spool_bytes,
        layout=layout_of(config),
    )


def _named(name: str, url: str, config: Config, *, live: bool) -> SourcePlan:
    if not live and (config.join or (config.layout is not None and os.path.isdir(url))):
        return _recordings(config, [url], name)[0]
    return plan_stream(name, url, live=live, spool_bytes=config.spool_bytes)


def _refuse_to_block(plan: SourcePlan, drop: str) -> None:
    scheme = plan.url.partition("://")[0].lower()
    if plan.live and drop == "block" and scheme in LIVE_SCHEMES:
        raise UsageError(
            f"streams.{plan.stream}.drop: block is for what can wait, files and http(s); a camera "
            f"over {scheme} goes on and breaks off where it is not read: want oldest or latest"
        )


def _refuse_clock(name: str, stream: StreamConfig, plan: SourcePlan) -> None:
    if stream.clock is not None and not plan.live:
        raise UsageError(
            f"streams.{name}.clock is of live streams alone; leave it out here: a recording's time "
            "is what its file tells, or start_time"
        )


def _refuse_other_times(config: Config, plan: SourcePlan, start_us: int | None) -> None:
    what = "a tape" if plan.taped else "kept features"
    for name, given in (("start_time", start_us), ("span_s", config.span_s)):
        if given is not None:
            raise UsageError(
                f"{name}: {plan.stream} is {what}, which is played whole and by its own clock; "
                f"leave {name} out"
            )


def _taping(name: str, stream: StreamConfig, plan: SourcePlan) -> Taping | None:
    wanted, place = stream.record, f"streams.{name}.record"
    if wanted is None:
        return None
    if not plan.live:
        raise UsageError(f"{place} is of live streams alone, and this is a file; leave it out here")
    _refuse_dots(name, place)
    age_s = None if wanted.max_days is None else wanted.max_days * 86_400
    return Taping(os.path.abspath(wanted.folder), int(wanted.max_gib * (1 << 30)), age_s)


def _refuse_dots(name: str, place: str) -> None:
    if name in (".", ".."):
        raise UsageError(f"{place}: no folder can be called {name!r}; give the stream another name")


def _refuse_one_name_twice(names: Sequence[str]) -> None:
    for name, times in Counter(names).items():
        if times > 1:
            raise UsageError(f"{times} sources are called {name}; name one of them otherwise")


def _spec(
    config: Config,
    plan: SourcePlan,
    samplings: Samplings,
    start_us: int | None,
    shots: ShotsConfig | None = None,
) -> StreamSpec:
    if plan.taped or plan.kept_at:
        _refuse_other_times(config, plan, start_us)
    if plan.kept_at:
        check_size(config, plan.stream, plan.kept_at, samplings)
    rules = tuple(dict.fromkeys(samplings.values()))
    return StreamSpec(
        stream=plan.stream,
        url=_absolute(plan.url),
        live=plan.live,
        session=plan.session,
        samplings=rules,
        rules={key: rules.index(sampling) for key, sampling in samplings.items()},
        short_side=plan.kept_at or config.short_side,
        patch=architecture(config.model).patch,
        start_time_us=None if plan.live else start_us,
        max_pixels=config.max_pixels,
        damaged=config.damaged == "keep",
        deinterlace=config.deinterlace,
        decode=_decoding(config),
        chunk_ms=config.chunk_ms if plan.live else RECORDED_CHUNK_MS,
        stall_s=config.stall_s,
        buffer_frames=config.buffer_frames,
        max_age_s=config.max_age_s,
        join=plan.join if plan.layout else tuple(_absolute(url) for url in plan.join),
        layout=plan.layout,
        spool_bytes=config.spool_bytes,
        span_s=None if plan.live else config.span_s,
        taped=plan.taped,
        gate=_gate(plan, config.gate),
        shots=shots_of(plan.stream, shots, config.shots, rules),
        late_begins=plan.late_begins,
        kept=plan.kept_at is not None,
        kept_by=plan.kept_by,
    )


def _gate(plan: SourcePlan, wanted: GateConfig | None) -> Gate | None:
    """What is asked for; of kept features what was when they were kept."""
    gate = gate_of(wanted)
    if plan.kept_at is None:
        return gate
    if gate is not None:
        raise UsageError(
            f"gate: {plan.stream} comes from kept features, which have no pictures; leave gate out"
        )
    return plan.kept_gate


def _decoding(config: Config, own: Device | None = None) -> Device:
    """What decodes a stream. Ray counts GPUs and lends them to engines; it hides none from decoders
    that ask for none, and `auto` would take what nobody counts."""
    wanted = own or config.decode
    return "cpu" if wanted == "auto" and config.runtime == "ray" else wanted


def _absolute(url: str) -> str:
    """A file by its whole path: decoders elsewhere stand in another folder."""
    return os.path.abspath(url) if os.path.exists(url) else url
