"""Engines that wait to take the place of one that is lost."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from ray.exceptions import ActorUnavailableError, RayActorError

from operators.errors import WeightsError
from pipeline.configuration.resolve import resolve
from pipeline.engine.identity import Identity
from pipeline.engine.tally import Outcome, Tally
from pipeline.runtime.ray_prepared import AGAIN_S
from pipeline.runtime.ray_run import RayRun
from pipeline.runtime.ray_watch import Beat
from pipeline.runtime.ray_worker import SILENT_S
from pipeline.stream.spec import StreamSpec

CLIP = StreamSpec("clip", "clip.mp4", session="s")
HERE, THERE = "a" * 56, "b" * 56
UNREACHABLE = ActorUnavailableError("gone", b"1" * 16)


class Sink:
    """Lives, and has nothing to flush."""

    def beat(self) -> Beat[bool]:
        return Beat(True)

    def close(self) -> None:
        """Has nothing to flush."""


class Engine:
    """Works for `beats`, then fails so, or is done."""

    def __init__(self, answered, beats: int, ends_with: Exception | None = None) -> None:
        self._ran = answered(ready=False)
        self._beats = beats
        self._ends_with = ends_with
        self.fails: Exception | None = None  # to get its weights
        self.runs = 0

    def assemble(self) -> Identity:
        if self.fails:
            raise self.fails
        return Identity("dinov2_vits14", {}, {})

    def run(self, *_: object, **__: object) -> object:
        self.runs += 1
        return self._ran

    def beat(self) -> Beat[Tally]:
        if not self.runs:
            return Beat(None)
        self._beats -= 1
        if self._beats <= 0:
            if self._ends_with:
                raise self._ends_with
            self._ran.value, self._ran.ready = DONE, True
        return Beat(Tally(frames=7))

    def stop(self) -> None:
        """Is done soon."""


DONE = Tally(frames=7, outcomes=[Outcome("clip", "ok", decoded=9)])


@pytest.fixture
def run_of(fake_ray) -> Callable[..., RayRun]:
    def make(*lives: Engine, **more: object) -> RayRun:
        coming = iter(lives)
        fake_ray.bodies |= {"SinkActor": Sink, "EngineActor": lambda: next(coming)}
        values = {"sources": ["synthetic:room"], "weights": "random", "sink": "sqlite:r.db"}
        config = resolve(None, values | {"spare_engines": 1} | more)
        return RayRun(config, [CLIP], fresh=False, tell=lambda _: None, clock=fake_ray.clock)

    return make


def engines(fake_ray) -> list:
    return [one for one in fake_ray.actors if isinstance(one.body, Engine)]


def test_one_that_waits_takes_the_place_of_one_that_is_lost(fake_ray, answered, run_of) -> None:
    first, spare = Engine(answered, 9, RayActorError()), Engine(answered, 9)
    next_spare = Engine(answered, 9)
    tally = run_of(first, spare, next_spare).run()
    assert [one.status for one in tally.outcomes] == ["ok"]
    assert tally.frames == 2 * 7
    assert [one.runs for one in (first, spare, next_spare)] == [1, 1, 0]
    assert all(one.killed for one in engines(fake_ray) if one.body is not spare)


def test_none_waits_unless_it_is_asked_for(fake_ray, answered, run_of) -> None:
    first, second = Engine(answered, 9, RayActorError()), Engine(answered, 9)
    run_of(first, second, spare_engines=0).run()
    assert len(engines(fake_ray)) == 2


def test_one_that_is_lost_while_it_waits_is_followed_by_another(fake_ray, answered, run_of) -> None:
    broken, spare = Engine(answered, 9), Engine(answered, 9)
    broken.fails = WeightsError("own.pth: No such file")
    first = Engine(answered, int(3 * AGAIN_S), RayActorError())
    run_of(first, broken, spare, Engine(answered, 9)).run()
    assert (broken.runs, spare.runs) == (0, 1)


def test_one_on_a_node_that_may_be_lost_is_left_there(fake_ray, answered, run_of) -> None:
    fake_ray.nodes = {node: {"CPU": 8.0, "memory": 1e12} for node in (HERE, THERE)}
    fake_ray.home = HERE
    first, spare, new = Engine(answered, 9, UNREACHABLE), Engine(answered, 9), Engine(answered, 9)
    run_of(first, spare, new, Engine(answered, 9)).run()
    assert (spare.runs, new.runs) == (0, 1)


def test_they_share_a_gpu_with_those_that_work(fake_ray, answered, run_of) -> None:
    fake_ray.nodes = {"head": {"CPU": 8.0, "GPU": 1.0, "memory": 1e11}}
    run_of(Engine(answered, 9), Engine(answered, 9)).run()
    assert [one["num_gpus"] for one in fake_ray.options if "num_gpus" in one] == [0.5, 0.5]


def test_a_successor_asks_for_what_a_dead_one_had_before_the_cluster_knows_it_is_free(
    fake_ray, answered, run_of
) -> None:
    fake_ray.home = HERE
    fake_ray.nodes = {HERE: {"CPU": 2.0, "memory": 64.0 * (1 << 30)}}
    first = Engine(answered, 9, RayActorError())
    run = first.run

    def ran(*args: object, **named: object) -> object:
        fake_ray.nodes = {HERE: {"CPU": 0.5, "memory": 1 << 30}}  # the rest is its own
        return run(*args, **named)

    first.run = ran
    run_of(first, Engine(answered, 9), spare_engines=0).run()
    assert [one["num_cpus"] for one in fake_ray.options if "num_gpus" in one] == [1.5, 1.5]


def test_one_that_is_not_heard_of_is_passed_over(fake_ray, answered, run_of, never) -> None:
    """It has its weights, and then its machine stands still."""
    first, spare, new = (
        Engine(answered, 9, RayActorError()),
        Engine(answered, 9),
        Engine(answered, 9),
    )
    beat, waits = spare.beat, iter(range(3))
    spare.beat = lambda: beat() if next(waits, None) is not None else never()
    first._beats = int(4 * SILENT_S)
    run_of(first, spare, new, Engine(answered, 9)).run()
    assert (spare.runs, new.runs) == (0, 1)


def test_none_is_started_while_the_run_ends(fake_ray, answered, run_of) -> None:
    first = Engine(answered, 30)
    run = run_of(first, Engine(answered, 9))
    run.stop()
    run.run()
    assert len(engines(fake_ray)) == 1
