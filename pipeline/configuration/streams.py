"""A configuration's sources -> the specifications that decode hosts open."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from operators.backbones.architectures import architecture
from operators.errors import UsageError
from pipeline.configuration.config import Config, StreamConfig
from pipeline.configuration.followed import plan_followed
from pipeline.configuration.sources import SourcePlan, plan_recordings, plan_stream
from pipeline.stream.sampling import Sampling
from pipeline.stream.spec import StreamSpec

# Nobody waits for a recording's first frames, and a chunk cut short is a batch of padding.
RECORDED_CHUNK_MS = 10_000


def sampling_rules(config: Config) -> tuple[Sampling, ...]:
    """The distinct samplings of a job's operators; bit i of `Frames.taken` is rule i."""
    return tuple(dict.fromkeys(config.sampling_of(key) for key in config.operators))


def stream_specs(config: Config, *, live: bool) -> list[StreamSpec]:
    """Every stream of a job, in a fixed order.

    Args:
        config: its sources and named streams, sampling and limits.
        live: http(s) streams are followed like cameras.

    Raises:
        UsageError: nothing there, a name twice, an unknown protocol or scene.
    """
    rules, start_us = sampling_rules(config), config.start_time_us
    specs = [_spec(config, plan, rules, start_us) for plan in _recordings(config)]
    specs += [stream_spec(config, name, one, live=live) for name, one in config.streams.items()]
    _refuse_one_name_twice([spec.stream for spec in specs])
    return specs


def stream_spec(config: Config, name: str, stream: StreamConfig, *, live: bool) -> StreamSpec:
    """One named stream, as `stream_specs` has it.

    Raises:
        UsageError: an unknown protocol or scene, no such file, or a key that is not for such a
            source.
    """
    _refuse_transport(name, stream)
    start_us = config.start_time_us if stream.start_time is None else stream.start_time_us
    if stream.follow:
        plan = plan_followed(name, stream, config, live=live)
    else:
        plan = _named(name, stream.url, config, live=live)
    spec = replace(_spec(config, plan, sampling_rules(config), start_us), follow=stream.follow)
    chunk_ms = config.chunk_ms if spec.endless else spec.chunk_ms
    latency_ms = stream.latency_ms or config.latency_ms
    return replace(
        spec,
        latency_ms=latency_ms,
        priority=stream.priority,
        transport=stream.transport or "tcp",
        chunk_ms=min(chunk_ms, max(1, latency_ms // 2)) if spec.endless else chunk_ms,
    )


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


def _recordings(config: Config) -> list[SourcePlan]:
    if not config.sources:
        return []
    return plan_recordings(config.sources, join=config.join, spool_bytes=config.spool_bytes)


def _named(name: str, url: str, config: Config, *, live: bool) -> SourcePlan:
    if config.join and not live:
        return plan_recordings([url], stream=name, join=True, spool_bytes=config.spool_bytes)[0]
    return plan_stream(name, url, live=live, spool_bytes=config.spool_bytes)


def _refuse_one_name_twice(names: Sequence[str]) -> None:
    for name, times in Counter(names).items():
        if times > 1:
            raise UsageError(f"{times} sources are called {name}; name one of them otherwise")


def _spec(
    config: Config, plan: SourcePlan, rules: tuple[Sampling, ...], start_us: int | None
) -> StreamSpec:
    return StreamSpec(
        stream=plan.stream,
        url=_absolute(plan.url),
        live=plan.live,
        session=plan.session,
        samplings=rules,
        short_side=config.short_side,
        patch=architecture(config.model).patch,
        start_time_us=start_us,
        max_pixels=config.max_pixels,
        damaged=config.damaged == "keep",
        deinterlace=config.deinterlace,
        chunk_ms=config.chunk_ms if plan.live else RECORDED_CHUNK_MS,
        stall_s=config.stall_s,
        buffer_frames=config.buffer_frames,
        max_age_s=config.max_age_s,
        join=tuple(_absolute(url) for url in plan.join),
        spool_bytes=config.spool_bytes,
        span_s=None if plan.live else config.span_s,
    )


def _absolute(url: str) -> str:
    """A file by its whole path: decoders elsewhere stand in another folder."""
    return os.path.abspath(url) if os.path.exists(url) else url
