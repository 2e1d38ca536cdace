"""Engines are added and let go while a job runs."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from pipeline.engine.tally import Tally
from pipeline.runtime.ray_growth import AGAIN_S, Growth
from pipeline.testing import ManualClock


class Job:
    """Engines that are as crowded as a test says, on a cluster with room for so many more."""

    def __init__(self, engines: int, bounds: tuple[int, int], room: int = 9) -> None:
        self.clock = ManualClock()
        self.room, self.is_crowded, self.sinks = room, False, engines
        self.idle: SimpleNamespace | None = None
        self.workers = [self._worker(index) for index in range(engines)]
        streams = SimpleNamespace(crowded=lambda: self.is_crowded, dispensable=lambda: self.idle)
        sinks = SimpleNamespace(more=self._more_sinks)
        starter = SimpleNamespace(one_more=self._one_more)
        self._growth = Growth(starter, streams, sinks, bounds, self.clock)

    def _worker(self, index: int) -> SimpleNamespace:
        engine = SimpleNamespace(up=True, stopped=False)
        engine.stop = lambda: setattr(engine, "stopped", True)
        state = {"over": False, "leaves": False, "grown": False}
        return SimpleNamespace(
            index=index, engine=engine, tally=Tally(here=frozenset({f"{index}"})), **state
        )

    def _one_more(self, name: str) -> object | None:
        assert name == f"engine {len(self.workers) + 1}"
        self.room -= 1
        return SimpleNamespace(up=False) if self.room >= 0 else None

    def _more_sinks(self) -> None:
        self.sinks += 1

    def look(self) -> int | None:
        more = self._growth.look(self.workers)
        if more:
            self.workers.append(more)
        return more and more.index


@pytest.fixture
def crowded() -> Job:
    job = Job(1, (1, 3))
    job.is_crowded = True
    return job


def test_engines_are_added_one_at_a_time_up_to_the_bound(crowded) -> None:
    added = []
    for _ in range(5):
        added.append(crowded.look())
        assert crowded.look() is None, "the last one has done nothing yet"
        crowded.clock.advance(AGAIN_S)
    assert added == [1, 2, None, None, None]
    assert crowded.sinks == 3


def test_where_there_is_no_room_it_is_tried_again_later(crowded) -> None:
    crowded.room = 0
    assert crowded.look() is None
    crowded.room = 1
    assert crowded.look() is None
    crowded.clock.advance(AGAIN_S)
    assert crowded.look() == 1


def test_without_a_bound_engines_stay_as_many() -> None:
    job = Job(2, (2, 2))
    job.is_crowded = True
    job.idle = job.workers[1]
    assert job.look() is None
    assert not job.workers[1].leaves


def test_one_that_leaves_ends_once_its_streams_have_left() -> None:
    job = Job(2, (1, 3))
    job.idle = dispensable = job.workers[1]
    job.look()
    job.idle = None
    assert dispensable.leaves
    assert not dispensable.engine.stopped
    dispensable.tally.here = frozenset()
    job.look()
    assert dispensable.engine.stopped
    assert not job.workers[0].engine.stopped


def test_one_that_was_added_does_not_outlive_the_streams_of_the_job() -> None:
    job = Job(2, (1, 3))
    job.workers[1].grown, job.workers[1].tally = True, Tally()
    job.look()
    assert not job.workers[1].engine.stopped, "streams may still come to it"
    job.workers[0].over = True
    job.look()
    assert job.workers[1].engine.stopped
