"""What becomes of an engine whose sink actor dies, and of the sink of an engine that does."""

from __future__ import annotations

from collections import Counter

import pytest
from ray.exceptions import RayTaskError

from pipeline.configuration.config import SinkConfig
from pipeline.configuration.resolve import resolve
from pipeline.engine.identity import Identity
from pipeline.engine.tally import Outcome, Tally
from pipeline.errors import RuntimeFailure
from pipeline.runtime.ray_run import RayRun
from pipeline.runtime.ray_sink import RemoteSink
from pipeline.runtime.ray_sinks import Sinks
from pipeline.runtime.ray_watch import Beat, Patience, SinkLost
from pipeline.runtime.ray_worker import LIVES_WITHOUT_PROGRESS
from pipeline.stream.spec import StreamSpec

CLIP = StreamSpec("clip", "clip.mp4", session="s")
FILE, BROKER = SinkConfig(uri="sqlite:records.db"), SinkConfig(uri="kafka://127.0.0.1:1")


class Sink:
    """Lives, and has nothing to flush."""

    def beat(self) -> Beat[bool]:
        return Beat(True)

    def close(self) -> None:
        """Has nothing to flush."""


class Engine:
    """Does something in each of its runs, and then loses its sink, but for the last."""

    def __init__(self, answered, does: Tally, losses: int) -> None:
        self._answered, self._does, self._losses = answered, does, losses
        self._told = 0
        self.sinks: list[object] = []
        self.again: list[bool] = []

    def assemble(self) -> Identity:
        return Identity("dinov2_vits14", {}, {})

    def run(self, jobs, specs, sink, labels, *, again: bool, **_: object) -> object:
        self.sinks.append(sink)
        self.again.append(again)
        self._told, self._ran = 0, self._answered(ready=False)
        return self._ran

    def beat(self) -> Beat[Tally]:
        if not self.sinks:
            return Beat(None)
        self._told += 1
        if self._told == 3:
            lost = len(self.sinks) <= self._losses
            self._ran.value = RayTaskError("run", "", SinkLost("gone")) if lost else self._result
            self._ran.ready = True
        return Beat(self._does)

    @property
    def _result(self) -> Tally:
        return self._does + Tally(outcomes=[Outcome("clip", "ok", decoded=9)])


def run_of(fake_ray, engine: Engine) -> RayRun:
    values = {"sources": ["synthetic:room"], "weights": "random", "sink": BROKER.uri}
    fake_ray.bodies |= {"SinkActor": Sink, "EngineActor": lambda: engine}
    specs = [CLIP]
    config = resolve(None, values)
    return RayRun(config, specs, fresh=False, tell=lambda _: None, clock=fake_ray.clock)


def test_an_engine_that_loses_its_sink_goes_on_through_another_one(fake_ray, answered) -> None:
    engine = Engine(answered, Tally(frames=7, records=Counter(embedding=1)), losses=2)
    tally = run_of(fake_ray, engine).run()
    assert [one.status for one in tally.outcomes] == ["ok"]
    assert tally.frames == 3 * 7, "of every run, once"
    assert engine.again == [False, True, True]
    assert len({id(sink) for sink in engine.sinks}) == 3
    assert [one.body for one in fake_ray.actors if not isinstance(one.body, Sink)] == [engine]
    assert [one.killed for one in engine.sinks] == [True, True, False]


def test_sinks_that_die_again_and_again_end_the_job(fake_ray, answered) -> None:
    engine = Engine(answered, Tally(), losses=99)
    with pytest.raises(RuntimeFailure, match="died 4 times without committing a frame"):
        run_of(fake_ray, engine).run()
    assert len(engine.sinks) == 1 + LIVES_WITHOUT_PROGRESS


def sinks_of(fake_ray, sink: SinkConfig) -> Sinks:
    """Of two engines."""
    fake_ray.bodies["SinkActor"] = Sink
    sinks = Sinks(Patience(), fake_ray.clock)
    sinks.open(sink, ["", ""])
    return sinks


def test_a_file_has_one_sink_which_engines_that_lose_it_get_anew_once(fake_ray) -> None:
    sinks = sinks_of(fake_ray, FILE)
    lost = sinks.of(0)
    assert sinks.of(1) is lost
    sinks.leave(0, lost=None)
    assert sinks.of(0) is lost, "that was its engine, not the sink"
    sinks.leave(0, lost)
    new = sinks.of(0)
    assert lost.killed
    sinks.leave(1, lost)
    assert sinks.of(1) is new is not lost, "the other engine has heard of it later"


def test_on_kafka_the_sink_goes_with_its_engine(fake_ray) -> None:
    sinks = sinks_of(fake_ray, BROKER)
    first, second = sinks.of(0), sinks.of(1)
    sinks.leave(0, lost=None)
    assert sinks.of(0) is not first
    assert first.killed
    assert sinks.of(1) is second


@pytest.mark.parametrize("sink", [FILE, BROKER], ids=["file", "kafka"])
def test_one_that_is_found_dead_is_replaced_before_its_engine_asks(fake_ray, sink, caplog) -> None:
    sinks = sinks_of(fake_ray, sink)
    dead = sinks.of(0)
    sinks.look_after()
    dead.kill()
    sinks.look_after()
    new = sinks.of(0)
    assert new is not dead
    sinks.leave(0, dead)
    assert sinks.of(0) is new
    assert "a sink is lost" in caplog.text


def test_an_engine_is_told_that_it_is_its_sink_that_is_lost(fake_ray) -> None:
    fake_ray.bodies["SinkActor"] = Sink
    actor = fake_ray.start(Sink())
    actor.kill()
    with pytest.raises(SinkLost, match="RayActorError"):
        RemoteSink(actor, Patience()).claim({})
