"""Pieces of work are done by actors, each once; what goes wrong in one is an error here."""

import os
from contextlib import closing
from functools import partial

import pytest
import ray
from ray.exceptions import NodeDiedError, ObjectLostError, OutOfMemoryError

from operators.errors import UsageError
from pipeline.configuration.sources import plan_recordings
from pipeline.curate.harvester import Harvester
from pipeline.curate.setup import Setup
from pipeline.errors import RuntimeFailure
from pipeline.runtime.ray_map import ray_map, result
from pipeline.runtime.ray_watch import Lost


@pytest.mark.parametrize("workers", [1, 2, 9])
def test_every_piece_is_done_once(nodes, workers):
    make = partial(partial, pow, 2)
    found = list(ray_map(make, range(6), workers=workers, address=nodes.address))
    assert sorted(found) == [1, 2, 4, 8, 16, 32]


def test_what_a_worker_raises_is_raised_here(nodes):
    def make():
        raise UsageError("no head finds people")

    with pytest.raises(UsageError, match="no head finds people"):
        list(ray_map(make, [1, 2], workers=2, address=nodes.address))


def test_the_piece_of_a_worker_that_dies_is_done_by_another_one(nodes, tmp_path, caplog):
    """A piece that kills its worker twice; each of the others is done once."""

    def make():
        def work(piece):
            lives = tmp_path / "lives"
            if piece == 1 and (not lives.exists() or lives.stat().st_size < 2):
                with lives.open("ab") as file:
                    file.write(b"x")
                os.abort()
            return piece * 10

        return work

    how = {"workers": 2, "address": nodes.address, "name": "recording {}".format}
    assert sorted(ray_map(make, range(4), **how)) == [0, 10, 20, 30]
    told = [line for line in caplog.messages if "another one takes it" in line]
    assert len(told) == 2
    assert all(line.startswith("a worker died with recording 1: ") for line in told)


def test_a_piece_that_kills_every_worker_ends_it(nodes):
    abort = partial(os.abort)
    failure = pytest.raises(RuntimeFailure, match=r"3 workers died with 1.*the same command goes")
    with failure:
        list(ray_map(lambda: lambda _: abort(), [1], workers=1, address=nodes.address))


@pytest.mark.parametrize(
    "error",
    [
        OutOfMemoryError("killed, the node is low on memory"),
        NodeDiedError("its node is gone"),
        ObjectLostError("00" * 28, None, ""),
    ],
)
def test_what_is_lost_with_memory_or_a_node_is_lost(monkeypatch, error):
    def lost(_):
        raise error

    monkeypatch.setattr(ray, "get", lost)
    with pytest.raises(Lost, match=r"\S"):
        result(None)


def test_what_recordings_give_to_a_data_set_is_what_they_give_here(nodes):
    """Bit by bit, from two workers."""
    setup = Setup("dinov2_vitti14", "random", 0, 1, "torch", short_side=28, fps=5.0)
    plans = plan_recordings(
        [f"synthetic:yard?seed={n}&seconds=1&fps=5&size=64x36" for n in range(3)]
    )
    make = partial(Harvester, setup)
    found = {one.stream: one for one in ray_map(make, plans, workers=2, address=nodes.address)}
    with closing(make()) as harvester:
        for plan in plans:
            here, there = harvester(plan), found[plan.stream]
            assert there.candidates == here.candidates
            assert there.units.tobytes() == here.units.tobytes()
