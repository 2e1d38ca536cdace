"""The two parts that no pipeline can do without, each alone: their sum is the ideal.

The decoder drained with nothing behind it; backbone and operators on frames in memory.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

from pipeline.batching import Batch, Batcher
from pipeline.bench.task import Task, Timing
from pipeline.chunk import End, Frames
from pipeline.config import Config
from pipeline.decode.host import DecodeHost
from pipeline.decode.spec import StreamSpec
from pipeline.errors import RuntimeFailure
from pipeline.streams import stream_specs

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
    """Put the clip's frames, decoded before, through backbone and operators; keep no result."""
    from pipeline.assembly import assemble

    engine = assemble(_config(task)).engine
    batches = list(_batches(task))
    began_us = _now_us()
    for batch in batches:
        features = engine.backbone(batch.frames)
        for placement in engine.placements:
            placement.operator(features)
    ended_us = _now_us()
    return Timing(began_us, ended_us, sum(len(batch.frames.infos) for batch in batches))


def _batches(task: Task) -> Iterator[Batch]:
    """As a shard cuts them."""
    workload = task.workload
    host = DecodeHost()
    try:
        for entry in _entries(host, _spec(task)):
            if isinstance(entry, Frames):
                batcher = Batcher(workload.batch_size)
                batcher.offer(entry)
                while (batch := batcher.cut(())) is not None:
                    yield batch
    finally:
        host.close()


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
