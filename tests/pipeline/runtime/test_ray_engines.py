"""The driver and its engines on a Ray that does what it is told: when it gives up, how it stops."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import pytest
from ray.exceptions import ActorUnavailableError, RayActorError

from pipeline.configuration.resolve import resolve
from pipeline.control.health import TURN_S
from pipeline.engine.camera import Camera
from pipeline.engine.identity import Identity
from pipeline.engine.tally import Outcome, Tally
from pipeline.errors import RuntimeFailure
from pipeline.runtime.ray_engine import ROOM_S
from pipeline.runtime.ray_run import HEAR_S, MARGIN_S, RayRun
from pipeline.runtime.ray_watch import Beat
from pipeline.runtime.ray_worker import LIVES_WITHOUT_PROGRESS
from pipeline.stream.spec import StreamSpec

GATE = StreamSpec("gate", "rtsp://127.0.0.1:1/gate", live=True)
CLIP = StreamSpec("clip", "clip.mp4", session="s")
DONE = Tally(outcomes=[Outcome("clip", "ok", decoded=9)])


class Sink:
    """Lives, and has nothing to flush."""

    def beat(self) -> Beat[str]:
        return Beat("life")

    def close(self) -> None:
        """Has nothing to flush."""


class Pending:
    """An engine for which the cluster has no room: it answers nothing."""

    def __init__(self, never: Callable[[], object]) -> None:
        self._never = never

    def __getattr__(self, name: str) -> Callable[..., object]:
        return lambda *_, **__: self._never()


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

    def beat(self) -> Beat[Tally]:
        if not self._beats:
            raise RayActorError
        return Beat(self._beats.pop(0))

    def stop(self) -> None:
        """Does not listen."""


def run_of(fake_ray, *specs: StreamSpec, **more: object) -> RayRun:
    values = {"sink": "kafka://127.0.0.1:1", "drain_s": 10} | more
    config = resolve(None, {"sources": ["synthetic:room"], "weights": "random"} | values)
    fake_ray.bodies["SinkActor"] = Sink
    return RayRun(config, specs, fresh=False, tell=lambda _: None, clock=fake_ray.clock)


def engines_of(fake_ray) -> list:
    return [one for one in fake_ray.actors if not isinstance(one.body, Sink)]


def test_frames_and_events_in_every_life_of_an_engine_are_no_progress(fake_ray, never) -> None:
    seen = Tally(frames=7, records=Counter(events=2))
    fake_ray.bodies["EngineActor"] = lambda: Engine(never, seen)
    with pytest.raises(RuntimeFailure, match="died 4 times without committing a frame"):
        run_of(fake_ray, CLIP).run()
    assert len(engines_of(fake_ray)) == 1 + LIVES_WITHOUT_PROGRESS


def test_a_driver_whose_node_was_given_up_ends(fake_ray, never) -> None:
    fake_ray.given_up = True
    fake_ray.bodies["EngineActor"] = lambda: Engine(never, *[Tally()] * 99)
    with pytest.raises(RuntimeFailure, match="given up"):
        run_of(fake_ray, GATE).run()


@pytest.mark.parametrize(
    "committed",
    [
        pytest.param(Tally(frames=7, records=Counter(embedding=1)), id="a record"),
        pytest.param(
            Tally(frames=7, cameras={"gate": Camera(frames=7)}), id="of a camera, nothing"
        ),
    ],
)
def test_what_is_committed_in_every_life_of_an_engine_is_progress(
    fake_ray, never, committed
) -> None:
    lives = [Engine(never, committed) for _ in range(2 * LIVES_WITHOUT_PROGRESS)]
    lives.append(Engine(never, None, result=DONE))
    fake_ray.bodies["EngineActor"] = lambda: lives.pop(0)
    tally = run_of(fake_ray, CLIP).run()
    assert tally.outcomes == DONE.outcomes
    assert tally.frames == 7 * 2 * LIVES_WITHOUT_PROGRESS


def statuses(tally: Tally) -> dict[str, str]:
    return {outcome.stream: outcome.status for outcome in tally.outcomes}


def stop_when(fake_ray, run: RayRun, condition: Callable[[], object]) -> None:
    """Have the run stopped at its first look at its actors that finds this true."""
    wait = fake_ray.wait

    def waited(*args, **named):
        if condition() and not run._stopping.is_set():
            run.stop()
        return wait(*args, **named)

    fake_ray.wait = waited


def test_a_stop_does_not_wait_for_an_engine_that_the_cluster_has_no_room_for(
    fake_ray, never
) -> None:
    lives = [Engine(never, Tally(frames=7)), Pending(never)]
    fake_ray.bodies["EngineActor"] = lambda: lives.pop(0)
    run = run_of(fake_ray, GATE, CLIP)
    stop_when(fake_ray, run, lambda: not lives)
    tally = run.run()
    assert fake_ray.clock.now_s <= HEAR_S + 2
    assert statuses(tally) == {"gate": "stopped", "clip": "stopped"}
    assert "how many frames of gate were not delivered is not known" in tally.given_up
    assert all(one.killed for one in engines_of(fake_ray))


def test_cameras_of_an_engine_that_died_are_not_live_until_another_one_has_them(
    fake_ray, never
) -> None:
    live, ended = Camera(frames=7, state="live"), Camera(frames=9, state="ended")
    lives = [Engine(never, Tally(cameras={"gate": live, "clip": ended})), Pending(never)]
    fake_ray.bodies["EngineActor"] = lambda: lives.pop(0)
    run = run_of(fake_ray, GATE, CLIP)
    stop_when(fake_ray, run, lambda: not lives)
    cameras = run.run().cameras
    assert cameras == {"gate": replace(live, state="lost", why="its engine is gone"), "clip": ended}
    again = run.tally + Tally(cameras={"gate": live})
    assert again.cameras["gate"] == replace(live, frames=14)


def test_a_stop_does_not_wait_for_weights_that_do_not_come(fake_ray, never) -> None:
    engine = Engine(never, *[None] * 20)
    engine.assemble = never
    fake_ray.bodies["EngineActor"] = lambda: engine
    run = run_of(fake_ray, GATE)
    stop_when(fake_ray, run, lambda: True)
    tally = run.run()
    assert statuses(tally) == {"gate": "stopped"}
    assert not tally.given_up, "nothing was begun"
    assert fake_ray.clock.now_s <= HEAR_S + 1


def test_a_stop_kills_an_engine_that_does_not_end_and_keeps_what_the_other_did(
    fake_ray, never
) -> None:
    bodies = [Engine(never, *[Tally()] * 99), Engine(never, *[Tally()] * 9, result=DONE)]
    fake_ray.bodies["EngineActor"] = lambda: bodies.pop(0)
    run = run_of(fake_ray, GATE, CLIP, engines=2)
    stop_when(fake_ray, run, lambda: fake_ray.clock.now_s > 3)
    tally = run.run()
    assert 10 + MARGIN_S <= fake_ray.clock.now_s - 3 <= 10 + MARGIN_S + 2
    assert statuses(tally) == {"gate": "stopped", "clip": "ok"}
    assert "did not end in 30 s" in tally.given_up


def test_an_engine_that_is_lost_while_the_run_ends_is_not_replaced(fake_ray, never) -> None:
    fake_ray.bodies["EngineActor"] = lambda: Engine(never, Tally(), Tally())
    run = run_of(fake_ray, GATE)
    stop_when(fake_ray, run, lambda: fake_ray.clock.now_s > 0)
    tally = run.run()
    assert len(engines_of(fake_ray)) == 1
    assert statuses(tally) == {"gate": "stopped"}
    assert "lost while the run ended (RayActorError)" in tally.given_up


def test_what_an_engine_waits_for_is_said_once(fake_ray, never, caplog) -> None:
    fake_ray.bodies["EngineActor"] = lambda: Pending(never)
    fake_ray.nodes = {"head": {"CPU": 1.0}}
    run = run_of(fake_ray, CLIP, gpus_per_engine=1)
    stop_when(fake_ray, run, lambda: fake_ray.clock.now_s > 3 * ROOM_S)
    run.run()
    said = [one.getMessage() for one in caplog.records if "waits for room" in one.getMessage()]
    (asks,) = said
    assert "it asks for 0 CPUs and 1 GPUs" in asks
    assert "1 of 1 CPUs, 0 of 0 GPUs" in asks


def test_two_engines_share_one_gpu(fake_ray, never) -> None:
    fake_ray.bodies["EngineActor"] = lambda: Engine(never, *[Tally()] * 9, result=DONE)
    fake_ray.nodes = {"head": {"CPU": 8.0, "GPU": 1.0, "memory": 1e11}}
    run_of(fake_ray, GATE, CLIP, engines=2).run()
    asked = [(one["num_cpus"], one["num_gpus"]) for one in fake_ray.options if "num_gpus" in one]
    assert asked == [(1.5, 0.5)] * 2


def cpus_asked(fake_ray) -> list[float]:
    """By engines."""
    return [one["num_cpus"] for one in fake_ray.options if "num_gpus" in one]


def test_engines_that_are_lost_together_do_not_ask_for_the_same_room(fake_ray, never) -> None:
    """What the first has asked for is free as long as Ray has not placed it."""
    lives = [Engine(never, Tally(frames=7)) for _ in range(2)]
    lives += [Engine(never, *[None] * 3, *[Tally()] * 9, result=DONE) for _ in range(2)]
    fake_ray.bodies["EngineActor"] = lambda: lives.pop(0)
    fake_ray.nodes = {"head": {"CPU": 8.0, "memory": 1e12}}
    run = run_of(fake_ray, GATE, CLIP, engines=2)
    wait = fake_ray.wait

    def waited(*args, **named):
        if len(lives) == 2:
            fake_ray.nodes = {"head": {"CPU": 2.0, "memory": 1e12}}  # the other machine is lost
        return wait(*args, **named)

    fake_ray.wait = waited
    run.run()
    assert cpus_asked(fake_ray) == [1.5, 1.5, 1.5, 0]


def test_an_engine_whose_room_somebody_else_took_goes_in_beside_others(
    fake_ray, never, caplog
) -> None:
    lives = [Pending(never), Engine(never, *[Tally()] * 9, result=DONE)]
    lives[0].assemble = lambda: Identity("dinov2_vits14", {}, {})
    fake_ray.bodies["EngineActor"] = lambda: lives.pop(0)
    fake_ray.bodies["SinkActor"] = Sink
    run = run_of(fake_ray, CLIP)
    wait = fake_ray.wait

    def waited(*args, **named):
        fake_ray.nodes = {"head": {"CPU": 0.5, "memory": 1e12}}
        return wait(*args, **named)

    fake_ray.wait = waited
    assert statuses(run.run()) == {"clip": "ok"}
    assert cpus_asked(fake_ray) == [1.5, 0]
    assert "an engine has not started (there is no room for it any more): it asks" in caplog.text


@pytest.mark.parametrize(
    ("error", "elsewhere"),
    [
        pytest.param(ActorUnavailableError("gone", b"1" * 16), True, id="cannot be reached"),
        pytest.param(RayActorError(), False, id="its process has died"),
    ],
)
def test_a_successor_keeps_away_from_a_node_that_may_be_lost(
    fake_ray, never, error, elsewhere
) -> None:
    here, there = "a" * 56, "b" * 56
    fake_ray.nodes = {node: {"CPU": 8.0, "memory": 1e12} for node in (here, there)}
    fake_ray.home = here
    lives = [Engine(never, Tally(frames=7)), Engine(never, *[Tally()] * 9, result=DONE)]
    beat = lives[0].beat

    def beat_or_die() -> Beat[Tally]:
        try:
            return beat()
        except RayActorError:
            raise error from None

    lives[0].beat = beat_or_die
    fake_ray.bodies["EngineActor"] = lambda: lives.pop(0)
    run_of(fake_ray, CLIP).run()
    engines = [one["scheduling_strategy"] for one in fake_ray.options if "num_gpus" in one]
    assert engines[0] == "SPREAD"
    assert (engines[1] != "SPREAD" and engines[1].node_id == there) is elsewhere


@pytest.mark.parametrize("beats", [[Tally(frames=7)], [None, None]], ids=["at work", "before"])
def test_the_successor_of_an_engine_has_a_sink_of_its_own(fake_ray, never, beats) -> None:
    """The old one may be lost with it, whether or not it had claimed."""
    lives = [Engine(never, *beats), Engine(never, *[Tally()] * 9, result=DONE)]
    fake_ray.bodies["EngineActor"] = lambda: lives.pop(0)
    assert statuses(run_of(fake_ray, CLIP).run()) == {"clip": "ok"}
    sinks = [one for one in fake_ray.actors if isinstance(one.body, Sink)]
    assert [one.killed for one in sinks] == [True, False]


def test_a_driver_whose_engine_waits_for_room_is_alive(fake_ray, never) -> None:
    """Whoever started it anew would only lose the engines that work."""
    lives = [Engine(never, *[Tally(frames=7)] * 3), Pending(never)]
    fake_ray.bodies["EngineActor"] = lambda: lives.pop(0)
    run = run_of(fake_ray, GATE)
    assert run.turned_s is None, "it has not started"
    stop_when(fake_ray, run, lambda: fake_ray.clock.now_s > TURN_S + 60)
    looked: list[float] = []
    wait = fake_ray.wait

    def waited(*args, **named):
        if run.turned_s is not None:
            looked.append(fake_ray.clock.now_s - run.turned_s)
        return wait(*args, **named)

    fake_ray.wait = waited
    run.run()
    assert max(looked) < 5
