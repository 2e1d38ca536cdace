"""An engine whose node is about to go hands its streams over; nothing is lost by that."""

from __future__ import annotations

import pytest
from ray.exceptions import RayActorError

from operators.errors import WeightsError
from pipeline.configuration.resolve import resolve
from pipeline.engine.identity import Identity
from pipeline.engine.tally import Outcome, Tally
from pipeline.runtime.ray_run import RayRun
from pipeline.runtime.ray_succession import AGAIN_S
from pipeline.runtime.ray_watch import Beat
from pipeline.stream.spec import StreamSpec

GATE = StreamSpec("gate", "rtsp://127.0.0.1:1/gate", live=True)
CLIP = StreamSpec("clip", "clip.mp4", session="s")
SHORT = StreamSpec("short", "short.mp4", session="s")


class Sink:
    """Lives, and has nothing to flush."""

    def beat(self) -> Beat[str]:
        return Beat("life")

    def close(self) -> None:
        """Has nothing to flush."""


class Engine:
    """Works until it is told to stop, or until `beats` are over; then it ends with `result`."""

    def __init__(self, answered, result: Tally, *, beats: int = 10**6) -> None:
        self._ran = answered(ready=False)
        self._result = result
        self._beats = beats
        self.stopped = self.assembled = False
        self.taken: list[str] = []
        self.again: bool | None = None

    def assemble(self) -> Identity:
        self.assembled = True
        return Identity("dinov2_vits14", {}, {})

    def run(self, jobs, specs, sink, labels, *, again: bool, **_: object) -> object:
        self.taken, self.again = [spec.stream for spec in specs], again
        return self._ran

    def beat(self) -> Beat[Tally]:
        self._beats -= 1
        if not self._beats:
            self.stop()
        return Beat(Tally())

    def stop(self) -> None:
        self.stopped = True
        self._ran.value, self._ran.ready = self._result, True


class Homeless(Engine):
    """Its weights cannot be had where it is."""

    def assemble(self) -> Identity:
        raise WeightsError("own.pth: No such file")


def stopped(*streams: str) -> Tally:
    return Tally(outcomes=[Outcome(stream, "stopped") for stream in streams])


def ended(stream: str) -> Outcome:
    return Outcome(stream, "ok", decoded=9)


def run_of(fake_ray, lives: list[Engine], *specs: StreamSpec, **more: object) -> RayRun:
    """The first of `lives` is on a node that is to go."""
    values = {"sink": "kafka://127.0.0.1:1"} | more
    config = resolve(None, {"sources": ["synthetic:room"], "weights": "random"} | values)
    bodies = iter(lives)
    fake_ray.bodies |= {"SinkActor": Sink, "EngineActor": lambda: next(bodies)}
    start = fake_ray.start

    def started(body: object):
        actor = start(body)
        if body is lives[0]:
            fake_ray.leaving.append(actor)
        return actor

    fake_ray.start = started
    return RayRun(config, specs, fresh=False, tell=lambda _: None, clock=fake_ray.clock)


def statuses(tally: Tally) -> dict[str, str]:
    return {outcome.stream: outcome.status for outcome in tally.outcomes}


def test_it_works_on_until_its_successor_is_ready_and_then_hands_over(fake_ray, answered) -> None:
    first = Tally(frames=7, outcomes=[ended("short"), *stopped("gate", "clip").outcomes])
    last = Tally(frames=2, outcomes=[ended("clip"), *stopped("gate").outcomes])
    old, new = Engine(answered, first), Engine(answered, last, beats=5)
    slow = [answered(ready=False)]
    new.assemble = lambda: slow[0]
    run = run_of(fake_ray, [old, new], GATE, CLIP, SHORT)
    wait = fake_ray.wait

    def waited(*args, **named):
        if fake_ray.clock.now_s > 5 and not slow[0].ready:
            assert not old.stopped, "its successor has no weights yet"
            slow[0].ready = True
        return wait(*args, **named)

    fake_ray.wait = waited
    tally = run.run()
    assert old.stopped
    assert new.taken == ["gate", "clip", "short"], "it is told by the sink what is done"
    assert new.again, "the streams were this job's before"
    assert statuses(tally) == {"short": "ok", "clip": "ok", "gate": "stopped"}
    assert tally.frames == 9
    assert tally.given_up == ""
    assert all(actor.killed for actor in fake_ray.actors if actor.body in (old, new))


def test_its_sink_goes_with_it(fake_ray, answered) -> None:
    """That may be on the same node."""
    old = Engine(answered, stopped("clip"))
    new = Engine(answered, Tally(outcomes=[ended("clip")]), beats=3)
    run_of(fake_ray, [old, new], CLIP).run()
    sinks = [actor for actor in fake_ray.actors if isinstance(actor.body, Sink)]
    assert [actor.killed for actor in sinks] == [True, False]


def test_one_that_is_done_meanwhile_has_no_successor(fake_ray, answered) -> None:
    old, new = Engine(answered, Tally(outcomes=[ended("clip")]), beats=2), Engine(answered, Tally())
    new.assemble = lambda: answered(ready=False)
    assert statuses(run_of(fake_ray, [old, new], CLIP).run()) == {"clip": "ok"}
    assert new.taken == []
    assert fake_ray.actors[-1].killed


def test_one_whose_node_goes_first_is_followed_by_the_one_that_was_coming(
    fake_ray, answered
) -> None:
    old, new = Engine(answered, Tally()), Engine(answered, Tally(outcomes=[ended("clip")]), beats=9)
    beat = old.beat

    def dies() -> Beat[Tally]:
        if fake_ray.clock.now_s > 3:
            raise RayActorError
        return beat()

    old.beat = dies
    new.assemble = lambda: answered(ready=False)
    assert statuses(run_of(fake_ray, [old, new], CLIP).run()) == {"clip": "ok"}
    assert new.taken == ["clip"]


def test_one_that_cannot_begin_harms_nobody_and_is_tried_again(fake_ray, answered, caplog) -> None:
    old, homeless = Engine(answered, stopped("clip")), Homeless(answered, Tally())
    new = Engine(answered, Tally(outcomes=[ended("clip")]), beats=3)
    assert statuses(run_of(fake_ray, [old, homeless, new], CLIP).run()) == {"clip": "ok"}
    assert "to take over could not begin: own.pth: No such file" in caplog.text
    assert fake_ray.clock.now_s >= AGAIN_S


@pytest.mark.parametrize("stay", [False, True])
def test_a_stop_is_a_stop(fake_ray, answered, stay) -> None:
    old, new = Engine(answered, stopped("gate")), Engine(answered, Tally())
    new.assemble = lambda: answered(ready=False)
    run = run_of(fake_ray, [old, new], GATE)
    run._stay = stay
    wait = fake_ray.wait

    def waited(*args, **named):
        if fake_ray.clock.now_s > 3 and not run._stopping.is_set():
            run.stop()
        return wait(*args, **named)

    fake_ray.wait = waited
    assert statuses(run.run()) == {"gate": "stopped"}
    assert new.taken == []
    assert all(actor.killed for actor in fake_ray.actors if actor.body in (old, new))
