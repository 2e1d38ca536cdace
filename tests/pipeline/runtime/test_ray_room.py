"""What engines ask for fits: shares of GPUs, CPUs where they are free."""

from __future__ import annotations

import logging
import math

import pytest

from operators.errors import UsageError
from pipeline.runtime.ray_room import Ask, ask, gpu_share, has_room, needs


@pytest.mark.parametrize(
    ("gpus", "engines", "share"),
    [
        ([], 2, 0),
        ([1], 1, 1),
        ([8], 3, 1),
        ([1], 2, 0.5),
        ([1, 1], 3, 0.5),
        ([1], 3, 0.3333),
        ([1], 6, 0.1666),
    ],
)
def test_engines_share_the_gpus_that_there_are(fake_ray, gpus, engines, share) -> None:
    """None is left to the CPU, where it would compute otherwise than the others."""
    fake_ray.nodes = {str(index): {"CPU": 2.0, "GPU": count} for index, count in enumerate(gpus)}
    assert gpu_share("auto", engines, own=True) == share
    if gpus:
        assert sum(count * math.floor(1 / share) for count in gpus) >= engines


def test_what_a_machine_has_not_is_refused_and_what_a_cluster_has_not_is_waited_for(
    fake_ray,
) -> None:
    with pytest.raises(UsageError, match=r"is 0\.5 and engines 2, but GPUs of this machine 0"):
        gpu_share(0.5, 2, own=True)
    assert gpu_share(0.5, 2, own=False) == 0.5
    assert gpu_share(0, 2, own=True) == 0
    fake_ray.nodes["head"]["GPU"] = 1
    assert gpu_share(0.5, 2, own=True) == 0.5
    assert gpu_share(0.1, 10, own=True) == 0.1
    fake_ray.nodes["head"]["GPU"] = 2
    with pytest.raises(UsageError, match="engines 3"):
        gpu_share(0.6, 3, own=True)  # 1.8 in all, but only one on each


def test_one_engine_has_room_on_two_cores(fake_ray) -> None:
    assert ask(2, 0).cpus == 2


def test_cpus_are_never_waited_for(fake_ray, caplog) -> None:
    caplog.set_level(logging.INFO, "pipeline")
    assert ask(2, 0, engines=2) == Ask(0, 0)
    assert "2 CPUs for an engine and its decoders are not free" in caplog.text
    fake_ray.nodes = {"a": {"CPU": 1.5}, "b": {"CPU": 1.5}}
    assert ask(2, 0) == Ask(0, 0), "on one node"
    fake_ray.nodes = {"a": {"CPU": 2.0}, "b": {"CPU": 3.0}}
    assert ask(2, 0, engines=2) == Ask(2, 0)


def test_on_a_head_without_cpus_nodes_are_waited_for(fake_ray) -> None:
    fake_ray.nodes = {"head": {"CPU": 0.0}}
    assert ask(2, 0) == Ask(2, 0)


def test_who_asks_for_nothing_goes_where_there_are_cpus(fake_ray) -> None:
    """A head or a driver's node that has none is there for other things."""
    first, second = "a" * 56, "b" * 56  # as Ray names nodes
    computing = {first: {"CPU": 2.0}, second: {"CPU": 2.0}}
    fake_ray.nodes = {"head": {"CPU": 0.0}, "driver": {}, **computing}
    strategies = [Ask(0, 0).options()["scheduling_strategy"] for _ in range(64)]
    assert {one.node_id for one in strategies} == {first, second}
    assert not any(one.soft for one in strategies), "soft ones go elsewhere where a node is busy"
    assert Ask(2, 0).options()["scheduling_strategy"] == "SPREAD"
    assert Ask(0, 1).options()["scheduling_strategy"] == "SPREAD"
    fake_ray.nodes = computing
    assert Ask(0, 0).options()["scheduling_strategy"] == "SPREAD"


def test_room_is_on_one_node(fake_ray) -> None:
    fake_ray.nodes = {"a": {"CPU": 8.0}, "b": {"CPU": 1.0, "GPU": 1.0}}
    assert has_room(Ask(1, 0.5))
    assert has_room(Ask(0.1, 1))
    assert not has_room(Ask(2, 0.5))
    assert needs(Ask(2, 0.5)) == (
        "it asks for 2 CPUs and 0.5 GPUs on one node; free in the cluster are "
        "9 of 9 CPUs and 1 of 1 GPUs"
    )
