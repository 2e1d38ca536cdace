"""Which engine of a job on Ray has which streams; engines are asked, and answer in their time."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest

from operators.errors import UsageError
from pipeline.engine.camera import Camera
from pipeline.engine.identity import Identity
from pipeline.engine.observer import WAIT
from pipeline.engine.tally import Outcome
from pipeline.runtime.balance import CYCLE_S, LASTING, LULL
from pipeline.runtime.ray_streams import COMING_S, Streams
from pipeline.runtime.ray_worker import SILENT, SILENT_S, Worker
from pipeline.stream.spec import StreamSpec
from pipeline.testing import ManualClock


class Engine:
    """Notes what it is asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []
        self.add = SimpleNamespace(remote=self._add)
        self.remove = SimpleNamespace(remote=lambda name: self.asked.append(("remove", name)))

    def _add(self, jobs, specs) -> None:
        assert set(jobs) == {spec.stream for spec in specs}
        self.asked += [("add", spec.stream) for spec in specs]


def worker(index: int) -> Worker:
    pulse = SimpleNamespace(silent_s=0.0)
    engine = SimpleNamespace(actor=Engine(), up=False, told=False, pulse=pulse)
    return Worker(index, [], engine)


def spec_of(name: str) -> StreamSpec:
    return StreamSpec(name, f"rtsp://10.0.0.1/{name}", live=True)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def streams(clock) -> Streams:
    return Streams([spec_of(name) for name in "abc"], clock)


@pytest.fixture
def pair(streams) -> list[Worker]:
    """Two engines at work with what they were dealt."""
    pair = [worker(0), worker(1)]
    streams.share(pair)
    streams.deal(Identity("model-0", {}, {}))
    for one in pair:
        one.engine.up = True
        one.tally.here = frozenset(spec.stream for spec in one.specs)
    return pair


def test_what_comes_before_it_is_known_what_runs_ends_nothing_and_may_come_again(streams) -> None:
    streams.remove("b")
    headless = replace(spec_of("d"), rules={"depth": 0})
    for early in (headless, spec_of("e")):
        streams.check(early)
        with pytest.raises(UsageError, match="not at work yet"):
            streams.add([early])
    one = worker(0)
    streams.share([one])
    streams.deal(Identity("model-0", {}, {}))
    assert [spec.stream for spec in one.specs] == ["a", "c"]
    assert set(streams.jobs) == {"a", "c"}
    for refuse in (streams.check, lambda spec: streams.add([spec])):
        with pytest.raises(UsageError, match="none of depth runs without a head"):
            refuse(headless)
    streams.add([spec_of("e")])
    assert one.engine.actor.asked == [("add", "e")]
    assert set(streams.jobs) == {"a", "c", "e"}


def test_a_stream_goes_to_the_engine_that_has_the_least_to_do(streams, pair) -> None:
    streams.add([spec_of("d")])
    assert [spec.stream for spec in pair[1].specs] == ["b", "d"]
    assert pair[1].engine.actor.asked == [("add", "d")]
    assert streams.names() == {"a", "b", "c", "d"}, "on its way"
    streams.remove("a")
    assert pair[0].engine.actor.asked == [("remove", "a")]
    assert "a" in streams.names(), "until its engine has let it go"
    assert [spec.stream for spec in pair[0].specs] == ["c"], "and no successor takes it up"


def test_one_that_never_came_is_not_waited_for(streams, pair, clock) -> None:
    streams.add([spec_of("d")])
    clock.advance(COMING_S + 1)
    assert streams.names() == {"a", "b", "c"}


def test_one_that_ended_and_comes_again_is_there_once(streams, pair) -> None:
    pair[0].tally.here = frozenset({"c"})  # a has ended
    streams.add([spec_of("a")])
    every = [spec.stream for one in pair for spec in one.specs]
    assert sorted(every) == ["a", "b", "c"]


def test_cameras_of_an_engine_that_is_silent_are_not_called_live(streams, pair) -> None:
    camera, other = Camera(9, state="live"), Camera(9, state="live")
    pair[0].tally.cameras, pair[1].tally.cameras = {"a": camera}, {"b": other}
    assert streams.tally().cameras == {"a": camera, "b": other}
    pair[0].engine.pulse.silent_s = SILENT_S + 1
    lost = replace(camera, state="lost", why=SILENT)
    assert streams.tally().cameras == {"a": lost, "b": other}
    pair[0].engine.pulse.silent_s = 0.0
    assert streams.tally().cameras == {"a": camera, "b": other}


@pytest.fixture
def moving(streams, pair, clock) -> list[Worker]:
    """One engine has had too much to do for a minute, with a and c; one camera leaves it."""
    for cycle in range(LASTING + 1):
        for one, waited_s in zip(pair, (0.0, 9.0), strict=True):
            frames = {"a": Camera(90 * cycle), "c": Camera(40 * cycle)} if one is pair[0] else {}
            one.tally.seconds[WAIT], one.tally.cameras = waited_s * cycle, frames
            streams.see(one)
        clock.advance(CYCLE_S)
    streams.look()
    return pair


def ended(one: Worker, stream: str) -> None:
    """Its engine has let it go."""
    one.tally.here -= {stream}
    one.tally.outcomes.append(Outcome(stream, "stopped"))


def test_a_camera_ends_at_one_engine_before_it_begins_at_another(streams, moving) -> None:
    assert moving[0].engine.actor.asked == [("remove", "c")]
    assert streams.names() == {"a", "b", "c"}
    streams.look()
    assert moving[1].engine.actor.asked == [], "it is still there"
    ended(moving[0], "c")
    assert streams.names() == {"a", "b", "c"}
    streams.look()
    assert moving[1].engine.actor.asked == [("add", "c")]
    assert [spec.stream for spec in moving[1].specs] == ["b", "c"]
    streams.look()
    assert streams.names() == {"a", "b", "c"}


def test_how_a_camera_fares_is_told_from_where_it_is(streams, moving) -> None:
    ended(moving[0], "c")
    moving[0].tally.turn("c", "lost", "of the past")
    streams.look()
    moving[1].tally.cameras["c"] = Camera(5, state="live")
    tally = streams.tally()
    assert tally.cameras["c"].state == "live"
    assert tally.cameras["c"].frames == 40 * LASTING + 5
    assert tally.outcomes == [], "it has not ended"


def test_a_camera_that_comes_back_has_not_ended(streams, moving, clock) -> None:
    """Where it was before, nobody but its engine knows that it is there again."""
    moving[1].tally.outcomes.append(Outcome("c", "stopped"))
    ended(moving[0], "c")
    streams.look()
    assert streams.tally().outcomes == []
    clock.advance(COMING_S)
    assert [one.stream for one in streams.tally().outcomes] == ["c"], "it did not come"


def test_a_camera_whose_engine_dies_meanwhile_begins_at_the_other(streams, moving) -> None:
    moving[0].engine.up = False
    streams.look()
    assert moving[1].engine.actor.asked == [("add", "c")]
    assert [spec.stream for spec in moving[0].specs] == ["a"], "and no successor takes it up"


def test_a_camera_that_is_taken_out_meanwhile_goes_nowhere(streams, moving) -> None:
    streams.remove("c")
    ended(moving[0], "c")
    streams.look()
    assert moving[1].engine.actor.asked == []
    assert streams.names() == {"a", "b"}


def test_a_camera_stays_where_the_other_engine_is_done_with(streams, moving) -> None:
    moving[1].over = True
    ended(moving[0], "c")
    streams.look()
    assert moving[0].engine.actor.asked == [("remove", "c"), ("add", "c")]


def test_one_that_is_let_go_leaves_its_cameras_to_the_others(streams, pair, clock) -> None:
    for cycle in range(LULL + 1):
        for one in pair:
            one.tally.seconds[WAIT] = 8.0 * cycle
            streams.see(one)
        clock.advance(CYCLE_S)
    assert not streams.crowded()
    assert streams.dispensable() is pair[1]
    pair[1].leaves = True
    assert pair[1].specs == []
    assert pair[1].engine.actor.asked == [("remove", "b")]
    ended(pair[1], "b")
    streams.look()
    assert [spec.stream for spec in pair[0].specs] == ["a", "c", "b"]
    streams.add([spec_of("d")])
    assert pair[1].engine.actor.asked == [("remove", "b")], "nobody comes to who leaves"


@pytest.mark.parametrize(("names", "crowded"), [("abc", True), ("ab", False)])
def test_engines_with_one_camera_each_cannot_share_their_work(names, crowded, clock) -> None:
    streams = Streams([spec_of(name) for name in names], clock)
    pair = [worker(0), worker(1)]
    streams.share(pair)
    streams.deal(Identity("model-0", {}, {}))
    for cycle in range(LASTING + 1):
        for one in pair:
            one.engine.up = True
            one.tally.seconds[WAIT] = 0.1 * cycle
            streams.see(one)
        clock.advance(CYCLE_S)
    assert streams.crowded() is crowded
