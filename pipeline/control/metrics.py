"""What Prometheus is told of a job. Names, labels and units are declared here and nowhere else.

Made anew from the job's tally at every scrape, so counters of streams that have gone go with them.
No label holds a secret: streams by their ids, never their addresses.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)

from pipeline.control.fared import STATES
from pipeline.control.steering import Steering
from pipeline.engine.histogram import BOUNDS_S, Histogram

CONTENT_TYPE = CONTENT_TYPE_LATEST


class _Collector:
    """`prometheus_client` asks it for what there is now."""

    def __init__(self, steering: Steering) -> None:
        self._steering = steering

    def collect(self) -> Iterator[Metric]:
        yield from self._of_kept()
        yield from self._of_streams()
        yield from self._of_job()

    def _of_kept(self) -> Iterator[Metric]:
        waiting = GaugeMetricFamily(
            "dinostream_kept_records",
            "Records that are kept on disk until the sink takes them.",
            labels=["stream"],
        )
        size = GaugeMetricFamily("dinostream_kept_bytes", "The same in bytes.", labels=["stream"])
        oldest = GaugeMetricFamily(
            "dinostream_kept_oldest_timestamp_seconds",
            "Since when the oldest of them is kept.",
            labels=["stream"],
        )
        for name, kept in self._steering.tally.kept.items():
            waiting.add_metric([name], kept.records)
            size.add_metric([name], kept.size_bytes)
            oldest.add_metric([name], kept.oldest_us / 1e6)
        yield from (waiting, size, oldest)

    def _of_streams(self) -> Iterator[Metric]:
        frames = CounterMetricFamily(
            "dinostream_frames",
            "Sampled frames by what became of them.",
            labels=["stream", "outcome"],
        )
        drops = CounterMetricFamily(
            "dinostream_drops", "Sampled frames dropped, by cause.", labels=["stream", "reason"]
        )
        state = GaugeMetricFamily(
            "dinostream_stream_state",
            "1 for the state that a stream is in.",
            labels=["stream", "state"],
        )
        lag = GaugeMetricFamily(
            "dinostream_capture_to_ack_last_seconds",
            "Age of the oldest frame of the last commit when its records were in the sink.",
            labels=["stream"],
        )
        epoch = GaugeMetricFamily("dinostream_epoch", "Assignment of a stream.", labels=["stream"])
        newest = GaugeMetricFamily(
            "dinostream_stream_last_frame_timestamp_seconds",
            "When the newest frame was decoded whose records are in the sink.",
            labels=["stream"],
        )
        total = HistogramMetricFamily(
            "dinostream_capture_to_ack_seconds",
            "Age of every frame when its records were in the sink.",
            labels=["stream"],
        )
        stages = HistogramMetricFamily(
            "dinostream_stage_latency_seconds",
            "The same by its parts: decode, batch, compute, commit.",
            labels=["stream", "stage"],
        )
        share = GaugeMetricFamily(
            "dinostream_stream_share", "Part of a recording that is decoded.", labels=["stream"]
        )
        drift = GaugeMetricFamily(
            "dinostream_stream_clock_drift_ppm",
            "By how many millionths a camera's clock is fast against its decoder's.",
            labels=["stream"],
        )
        for name, one in self._steering.board.fared().items():
            for word in STATES:
                state.add_metric([name, word], float(word == one.state))
            if one.share is not None:
                share.add_metric([name], one.share)
            if one.camera is None:
                continue
            frames.add_metric([name, "processed"], one.camera.frames)
            frames.add_metric([name, "dropped"], sum(one.camera.dropped.values()))
            for cause, count in one.camera.dropped.items():
                drops.add_metric([name, cause], count)
            lag.add_metric([name], one.camera.lag_s)
            epoch.add_metric([name], one.camera.epoch)
            if one.camera.newest_us:
                newest.add_metric([name], one.camera.newest_us / 1e6)
            if one.camera.drift:
                drift.add_metric([name], one.camera.drift.ppm)
            if one.latency:
                _add(total, [name], one.latency.total)
                for stage, histogram in one.latency.stages.items():
                    _add(stages, [name, stage], histogram)
        yield from (frames, drops, state, lag, epoch, newest, total, stages, share, drift)

    def _of_job(self) -> Iterator[Metric]:
        tally = self._steering.tally
        records = CounterMetricFamily("dinostream_records", "Records by topic.", labels=["topic"])
        # From nothing on: of a counter that begins with 1 Prometheus sees no increase.
        for topic, count in {"deadletter": 0, **tally.records}.items():
            records.add_metric([topic], count)
        stages = CounterMetricFamily(
            "dinostream_stage_seconds", "Time that engines spent, by stage.", labels=["stage"]
        )
        for stage, seconds in tally.seconds.items():
            stages.add_metric([stage], seconds)
        yield from (records, stages)
        away = float(tally.outage is not None)
        yield GaugeMetricFamily("dinostream_sink_away", "1 while the sink is away.", away)
        yield CounterMetricFamily(
            "dinostream_backbone_frames", "Frames through the backbone.", tally.frames
        )


def _add(family: HistogramMetricFamily, labels: list[str], histogram: Histogram) -> None:
    bounds = [*map(str, BOUNDS_S), "+Inf"]
    cumulative = accumulate(histogram.counts)
    family.add_metric(labels, list(zip(bounds, cumulative, strict=True)), histogram.sum_s)


def exposition(steering: Steering) -> bytes:
    """All of it, in Prometheus' text format."""
    registry = CollectorRegistry()
    registry.register(_Collector(steering))
    return generate_latest(registry)
