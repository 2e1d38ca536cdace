"""Which engine of a job on Ray has which streams; engines are asked, and answer in their time."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from pipeline.engine.identity import Identity
from pipeline.engine.tally import Tally
from pipeline.runtime.ray_streams import COMING_S, Streams
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


def worker(index: int) -> SimpleNamespace:
    engine = SimpleNamespace(actor=Engine(), up=False)
    return SimpleNamespace(index=index, specs=[], engine=engine, tally=Tally())


def spec_of(name: str) -> StreamSpec:
    return StreamSpec(name, f"rtsp://10.0.0.1/{name}", live=True)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def streams(clock) -> Streams:
    return Streams([spec_of(name) for name in "abc"], clock)


@pytest.fixture
def pair(streams) -> list[SimpleNamespace]:
    """Two engines at work with what they were dealt."""
    pair = [worker(0), worker(1)]
    streams.share(pair)
    streams.deal(Identity("model-0", {}, {}))
    for one in pair:
        one.engine.up = True
        one.tally.here = frozenset(spec.stream for spec in one.specs)
    return pair


def test_what_comes_before_the_engines_is_dealt_with_the_others(streams) -> None:
    streams.remove("b")
    streams.add([spec_of("d")])
    one = worker(0)
    streams.share([one])
    streams.deal(Identity("model-0", {}, {}))
    assert [spec.stream for spec in one.specs] == ["a", "c", "d"]
    assert set(streams.jobs) == {"a", "c", "d"}
    assert one.engine.actor.asked == []


def test_a_stream_goes_to_the_engine_that_has_the_fewest(streams, pair) -> None:
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
