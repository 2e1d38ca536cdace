"""Whole jobs on a cluster whose parts are killed, fall silent or lose their node: complete, and
the same."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from operators.errors import DinostreamError
from pipeline.configuration.document import to_document
from pipeline.configuration.resolve import resolve
from pipeline.configuration.streams import stream_specs
from pipeline.engine.tally import Tally
from pipeline.runtime.inline import InlineRun
from pipeline.runtime.ray_run import HEAR_S, RayRun
from pipeline.runtime.ray_watch import Patience
from pipeline.sinks.uri import open_reader
from pipeline.stream.progress import Progress

OF_THE_RUN = ("ce_ingesttime", "ce_epoch", "ce_traceparent")
SLOW = "tests.pipeline.runtime.slow:Slow"
FRAMES = 300 + 20


class Job(threading.Thread):
    """A replay in this process, beside a test that disturbs it."""

    def __init__(self, footage: Path, sink: str, folder: Path, address: str | None = None) -> None:
        """
        Args:
            footage: folder of clips.
            sink: where to.
            folder: of a file `go`; the job is slow until that is there.
            address: of a Ray cluster; None: without Ray.
        """
        super().__init__()
        values = {
            "sources": [str(footage)],
            "weights": "random",
            "model": "dinov2_vitti14",
            "short_side": 56,
            "threads": 1,
            "sampling": {"all": True},
            "sink": sink,
            "drain_s": 60.0,  # the slow operator may have as many frames to see
            "runtime": "ray" if address else "inline",
            "address": address,
        }
        self.sink, self._go = sink, folder / "go"
        self.looks = 0  # at the clock
        self.passed_s = 0.0  # beside the time that passes by itself
        operators = {"action": {}, "embedding": {}, SLOW: {"folder": str(folder)}}
        (folder / "job.yaml").write_text(to_document({"operators": operators}))
        config = resolve(folder / "job.yaml", values)
        specs = stream_specs(config, live=False)
        told = {"fresh": False, "tell": lambda _: None}
        self.job: RayRun | InlineRun = (
            RayRun(config, specs, **told, clock=self._clock)
            if address
            else InlineRun(config, specs, **told)
        )
        self._outcome: Tally | BaseException = Tally()

    def _clock(self) -> float:
        self.looks += 1
        return time.monotonic() + self.passed_s

    def run(self) -> None:
        try:
            self._outcome = self.job.run()
        except BaseException as error:
            self._outcome = error

    def finish(self) -> Tally:
        """What it has done, as fast as it can from now on."""
        self._go.touch()
        self.join()
        if isinstance(self._outcome, BaseException):
            raise self._outcome
        return self._outcome

    def progress(self) -> list[Progress]:
        """Of the streams that have got somewhere."""
        assert self.is_alive(), self._outcome
        return self.committed()

    def committed(self) -> list[Progress]:
        try:
            with closing(open_reader(self.sink)) as reader:
                return [one for one in reader.progress() if one.position]
        except DinostreamError:  # not made yet
            return []

    def records(self) -> dict:
        with closing(open_reader(self.sink)) as reader:
            return {
                (one.message.topic, one.message.id): (
                    {k: v for k, v in one.message.headers.items() if k not in OF_THE_RUN},
                    one.message.value,
                )
                for one in reader.records()
            }


def statuses(tally: Tally) -> dict[str, str]:
    return {outcome.stream: outcome.status for outcome in tally.outcomes}


@pytest.fixture(scope="module")
def footage(small_clip, tmp_path_factory) -> Path:
    """A clip that is hit again and again, and a short one."""
    folder = tmp_path_factory.mktemp("footage")
    small_clip(folder / "a.mp4", "bars", number=3, frames=300)
    small_clip(folder / "b.mp4", "rows", number=5, frames=20)
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Where the slow operator looks; a setting of an operator is part of what its records are."""
    return tmp_path_factory.mktemp("slow")


@pytest.fixture(scope="module")
def undisturbed(footage, folder, tmp_path_factory) -> dict:
    job = Job(footage, f"sqlite:{tmp_path_factory.mktemp('inline')}/u.db", folder)
    (folder / "go").touch()
    job.start()
    assert statuses(job.finish()) == {"a.mp4": "ok", "b.mp4": "ok"}
    (folder / "go").unlink()
    return job.records()


@pytest.fixture
def slow(folder, undisturbed) -> Iterator[Path]:
    """The same, without a `go`."""
    yield folder
    (folder / "go").unlink(missing_ok=True)


@pytest.fixture
def alone(nodes, processes) -> None:
    """The actors of the tests before have ended."""
    kinds = ("DecodeActor", "EngineActor", "SinkActor")
    processes.wait_until(lambda: not any(nodes.actors(kind) for kind in kinds))


@pytest.mark.slow
@pytest.mark.usefixtures("alone")
def test_an_engine_and_a_sink_that_fall_silent(
    nodes, processes, footage, undisturbed, slow, tmp_path
) -> None:
    job = Job(footage, f"sqlite:{tmp_path}/s.db", slow, nodes.address)
    job.start()

    def stop(kind: str) -> None:
        """Until the driver has no patience with it any more."""
        (actor,) = nodes.actors(kind)
        processes.stop(actor)
        # A few looks later it has asked for a sign of life that does not come.
        few = job.looks + 12
        processes.wait_until(lambda: job.looks > few)
        job.passed_s += Patience().silence_s

    processes.wait_until(lambda: any(one.status == "ok" for one in job.progress()))
    stop("EngineActor")  # with one clip done, which must count once
    newer = max(one.epoch for one in job.progress())
    processes.wait_until(lambda: any(one.epoch > newer for one in job.progress()))
    stop("SinkActor")
    tally = job.finish()
    assert statuses(tally) == {"a.mp4": "ok", "b.mp4": "ok"}
    assert tally.receipt.conflicting == 0
    log = tmp_path / "s.db-wal"  # as long as the sink that stood still is not dead
    assert not log.exists() or not log.stat().st_size, "one file holds everything once it is over"
    assert job.records() == undisturbed


@pytest.mark.slow
def test_a_node_dies_and_then_the_only_other_one_that_has_room_for_the_engine(
    nodes, processes, footage, undisturbed, slow, tmp_path
) -> None:
    pair = [nodes.add(num_cpus=1, num_gpus=1) for _ in range(2)]  # one GPU in name, for one engine
    job = Job(footage, f"sqlite:{tmp_path}/n.db", slow, nodes.address)
    job.start()
    processes.wait_until(lambda: any(one.stream == "a.mp4" for one in job.progress()))
    before = max(one.epoch for one in job.progress())
    (doomed,) = [node for node in pair if nodes.actors("EngineActor", node)]
    nodes.kill(doomed)
    processes.wait_until(lambda: any(one.epoch > before for one in job.progress()))
    pair.remove(doomed)
    processes.wait_until(lambda: job.job._workers[0].engine.up)
    nodes.kill(pair[0])
    processes.wait_until(lambda: not job.job._workers[0].engine.up)
    job.job.stop()
    job.passed_s += HEAR_S
    tally = job.finish()
    assert statuses(tally)["a.mp4"] == "stopped"
    why = r"an engine was (not at work when the run was stopped|lost while the run ended)"
    assert re.match(why, tally.given_up)
    (left,) = [one for one in job.committed() if one.stream == "a.mp4"]
    assert left.running, "the next run goes on with it"
    rest = Job(footage, job.sink, slow)
    rest.start()
    tally = rest.finish()
    assert statuses(tally) == {"a.mp4": "ok", "b.mp4": "ok"}
    assert tally.receipt.conflicting == 0
    assert job.records() == undisturbed


@pytest.mark.slow
@pytest.mark.needs_kafka
def test_a_node_that_is_drained_is_left_before_it_goes(
    nodes, processes, footage, undisturbed, kafka_uri, slow, caplog
) -> None:
    pair = [nodes.add(num_cpus=1, num_gpus=1) for _ in range(2)]
    job = Job(footage, kafka_uri, slow, nodes.address)
    job.start()
    processes.wait_until(lambda: any(one.stream == "a.mp4" for one in job.progress()))
    (drained,) = [node for node in pair if nodes.actors("EngineActor", node)]
    (stays,) = [node for node in pair if node is not drained]
    before = max(one.epoch for one in job.progress())
    nodes.drain(drained, 600)
    processes.wait_until(lambda: any(one.epoch > before for one in job.progress()))
    assert not nodes.actors("EngineActor", drained)
    assert nodes.actors("EngineActor", stays)
    nodes.kill(drained)
    tally = job.finish()
    assert "lost" not in caplog.text, "it went in peace"
    assert statuses(tally) == {"a.mp4": "ok", "b.mp4": "ok"}
    assert tally.receipt.conflicting == tally.receipt.repeated == 0
    assert tally.frames == FRAMES, "none was computed twice"
    assert job.records() == undisturbed
    nodes.kill(stays)
