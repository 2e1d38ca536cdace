"""dinostream itself as a contender: the job as `dinostream replay` runs it, in either runtime.

Reads begin and end from its records' publishing times, so nothing is measured inside of it.
"""

from __future__ import annotations

from pipeline.bench.task import Task, Timing
from pipeline.bench.workload import Runtime
from pipeline.configuration.streams import stream_specs
from pipeline.engine.tally import Tally
from pipeline.errors import RuntimeFailure
from pipeline.job import Run
from pipeline.sinks.uri import open_reader


def run_ours(task: Task) -> Timing:
    """Replay the clip.

    Raises:
        RuntimeFailure: the clip did not end well.
        DinostreamError: whatever the job raises.
    """
    tally = _opened(task).run()
    (outcome,) = tally.outcomes
    if outcome.status != "ok":
        raise RuntimeFailure(f"the clip ended {outcome.status}: {outcome.detail}")
    return _timing(task, tally, outcome.memory_bytes)


def _opened(task: Task) -> Run:
    runtime: Runtime = "inline" if task.contender == "inline" else "ray"
    config = task.workload.config(task.clip, database=str(task.database), runtime=runtime)
    specs = stream_specs(config, live=False)
    if runtime == "inline":
        from pipeline.runtime.inline import InlineRun

        return InlineRun(config, specs, fresh=True, tell=lambda _: None)
    from pipeline.runtime.ray_run import RayRun

    return RayRun(config, specs, fresh=True, tell=lambda _: None)


def _timing(task: Task, tally: Tally, decoder_bytes: int) -> Timing:
    """A shard publishes its label sets right before it asks for the first frame."""
    reader = open_reader(f"sqlite:{task.database}")
    try:
        began_us = [record.timestamp_us for record in reader.records(["labels"])]
        written_us = [record.timestamp_us for record in reader.records()]
    finally:
        reader.close()
    return Timing(
        began_us=max(began_us),
        ended_us=max(written_us),
        frames=tally.frames,
        first_us=min(moment_us for moment_us in written_us if moment_us > max(began_us)),
        decoder_bytes=decoder_bytes,
        batches=sum(tally.batches.values()),
    )
