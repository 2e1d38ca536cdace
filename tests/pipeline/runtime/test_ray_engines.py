"""The driver and its engines on a Ray that does what it is told: when it gives up, how it stops."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest
from ray.exceptions import RayActorError

from pipeline.decode.spec import StreamSpec
from pipeline.errors import RuntimeFailure
from pipeline.identity import Identity
from pipeline.resolve import resolve
from pipeline.runtime.ray_run import LIVES_WITHOUT_PROGRESS, RayRun
from pipeline.tally import Outcome, Tally

CLIP = StreamSpec("clip", "clip.mp4", session="s")
DONE = Tally(outcomes=[Outcome("clip", "ok", decoded=9)])


class Sink:
    """Lives, and has nothing to flush."""

    def beat(self) -> str:
        return "life"

    def close(self) -> None:
        """Has nothing to flush."""


class Engine:
    """Answers its heartbeats, one after the other, then dies; `run` gives its result, or nothing
    for ever."""

    def __init__(self, never: Callable[[], object], *beats: Tally | None, result: object = None):
        self._never = never
        self._beats = list(beats)
        self._result = result

    def assemble(self) -> Identity:
        return Identity("dinov2_vits14", {}, {})

    def run(self, *_: object, **__: object) -> object:
        return self._result or self._never()

    def beat(self) -> Tally | None:
        if not self._beats:
            raise RayActorError
        return self._beats.pop(0)

    def stop(self) -> None:
        """Does not listen."""


def run_of(fake_ray, *specs: StreamSpec, engines: int = 1) -> RayRun:
    values = {"engines": engines, "sink": "kafka://127.0.0.1:1", "drain_s": 10}
    config = resolve(None, {"sources": ["synthetic:room"], "weights": "random"} | values)
    fake_ray.bodies["SinkActor"] = Sink
    return RayRun(config, specs, fresh=False, tell=lambda _: None, clock=fake_ray.clock)


def engines_of(fake_ray) -> list:
    return [one for one in fake_ray.actors if not isinstance(one.body, Sink)]


def test_frames_and_events_in_every_life_of_an_engine_are_no_progress(fake_ray, never) -> None:
    seen = Tally(frames=7, records=Counter(events=2))
    fake_ray.bodies["EngineActor"] = lambda: Engine(never, seen)
    with pytest.raises(RuntimeFailure, match="died 4 times without committing a record"):
        run_of(fake_ray, CLIP).run()
    assert len(engines_of(fake_ray)) == 1 + LIVES_WITHOUT_PROGRESS


def test_a_committed_record_in_every_life_of_an_engine_is_progress(fake_ray, never) -> None:
    committed = Tally(frames=7, records=Counter(embedding=1))
    lives = [Engine(never, committed) for _ in range(2 * LIVES_WITHOUT_PROGRESS)]
    lives.append(Engine(never, None, result=DONE))
    fake_ray.bodies["EngineActor"] = lambda: lives.pop(0)
    tally = run_of(fake_ray, CLIP).run()
    assert tally.outcomes == DONE.outcomes
    assert tally.records["embedding"] == 2 * LIVES_WITHOUT_PROGRESS
