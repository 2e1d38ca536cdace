"""The two parts that no pipeline can do without, each alone: their sum is the ideal.

The decoder drained with nothing behind it; backbone and operators on frames in memory.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np

from operators.frames import FrameBatch
from pipeline.bench.task import Task, Timing
from pipeline.configuration.config import Config
from pipeline.configuration.streams import stream_specs
from pipeline.decode.host import DecodeHost
from pipeline.errors import RuntimeFailure
from pipeline.stream.chunk import End, Frames
from pipeline.stream.spec import StreamSpec

WAIT_S = 1.0


def run_decode(task: Task) -> Timing:
    """Take every chunk of the clip and keep none."""
    spec = _spec(task)
    host = DecodeHost()
    frames, end = 0, None
    began_us = _now_us()
    try:
        for entry in _entries(host, spec):
            if isinstance(entry, Frames):
                frames += len(entry.infos)
            else:
                end = entry
    finally:
        host.close()
    if end is None or end.outcome != "ok":
        raise RuntimeFailure(f"the clip ended {end}")
    return Timing(began_us, _now_us(), frames, decoder_bytes=end.memory_bytes)


def run_engine(task: Task) -> Timing:
    """Put the clip's frames, decoded before, through backbone and operators; keep no result.

    In full batches but for the last, which is the best that any chunking can do.
    """
    from pipeline.engine.assembly import assemble

    engine = assemble(_config(task)).engine
    frames = decoded_frames(_spec(task))
    batches = full_batches(frames, engine.batch_size)
    began_us = _now_us()
    for batch in batches:
        features = engine.backbone(batch)
        for operator in engine.operators:
            operator(features)
    return Timing(began_us, _now_us(), len(frames.infos), batches=len(batches))


def decoded_frames(spec: StreamSpec) -> FrameBatch:
    """A whole clip's sampled frames, whatever chunks they came in."""
    host = DecodeHost()
    try:
        runs = [entry for entry in _entries(host, spec) if isinstance(entry, Frames)]
    finally:
        host.close()
    infos = tuple(info for run in runs for info in run.infos)
    return FrameBatch(infos, np.concatenate([run.pixels for run in runs]))


def full_batches(frames: FrameBatch, size: int) -> list[FrameBatch]:
    """Frames in batches of one size, but for the last."""
    return [
        FrameBatch(frames.infos[at : at + size], frames.pixels[at : at + size])
        for at in range(0, len(frames.infos), size)
    ]


def _entries(host: DecodeHost, spec: StreamSpec) -> Iterator[Frames | End]:
    host.open(spec)
    host.request(spec.stream)
    while True:
        for chunk in host.wait(WAIT_S):
            for entry in chunk.entries:
                if isinstance(entry, Frames | End):
                    yield entry
                if isinstance(entry, End):
                    return
            host.request(spec.stream)


def _spec(task: Task) -> StreamSpec:
    (spec,) = stream_specs(_config(task), live=False)
    return spec


def _config(task: Task) -> Config:
    return task.workload.config(task.clip, database=str(task.database), runtime="inline")


def _now_us() -> int:
    return time.time_ns() // 1000
