"""What engines ask for fits: shares of GPUs, CPUs where they are free."""

from __future__ import annotations

import logging
import math

import pytest

from operators.backbones.architectures import architecture
from operators.errors import UsageError
from pipeline.runtime.ray_room import (
    ENGINE_CPUS,
    Ask,
    Need,
    ask,
    decoder_options,
    gpu_share,
    has_room,
    needs,
)

GIB = 1 << 30
ROOMY = 64.0 * GIB


def node(cpus: float, gpus: float = 0.0, memory: float = ROOMY) -> dict[str, float]:
    return {"CPU": cpus, "GPU": gpus, "memory": memory}


def need(decoders: int = 2, gpus: float = 0.0) -> Need:
    return Need(gpus, 2 * GIB, decoders, GIB)


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
    assert ask(need()) == Ask(2, 0, 4 * GIB)


def test_what_an_engine_needs_grows_with_its_model_and_its_streams() -> None:
    small, large = (architecture(f"dinov2_vit{size}14") for size in ("s", "g"))
    assert Need.of(small, 0, 2, 4).engine_bytes / GIB == pytest.approx(1.3, abs=0.1)
    assert Need.of(large, 0, 2, 4).engine_bytes / GIB == pytest.approx(9.5, abs=0.5)
    one, many = (Need.of(small, 0, 2, streams).decoder_bytes for streams in (1, 100))
    assert many - one == 49 * (one - (100 << 20))


def test_cpus_are_never_waited_for(fake_ray, caplog) -> None:
    caplog.set_level(logging.INFO, "pipeline")
    assert ask(need(), engines=2) == Ask(0, 0)
    assert "2 CPUs and 0 GPUs, 4.0 GiB for an engine and its decoders are not free" in caplog.text
    fake_ray.nodes = {"a": node(1.5), "b": node(0.5)}
    assert ask(need()) == Ask(1, 0, 2 * GIB, apart=True)
    fake_ray.nodes = {"a": node(1.5)}
    assert ask(need()) == Ask(0, 0), "an engine and one of its decoders would have room"
    fake_ray.nodes = {"a": node(2), "b": node(3)}
    assert ask(need(), engines=2) == Ask(2, 0, 4 * GIB)


def test_an_engine_on_a_node_of_few_cores_has_its_decoders_elsewhere(fake_ray) -> None:
    fake_ray.nodes = {"gpu": node(2, 1), "cores": node(4)}
    asked = ask(need(8, gpus=1))
    assert asked == Ask(ENGINE_CPUS, 1, 2 * GIB, apart=True)
    assert ask(need(2, gpus=1)) == Ask(2, 1, 4 * GIB), "where they have room beside it"
    assert ask(need(11, gpus=1)) == Ask(0, 1), "one more than there is room for"


def test_memory_decides_as_cores_do(fake_ray) -> None:
    fake_ray.nodes = {"gpu": node(16, 1, 3 * GIB), "cores": node(16, 0, 8 * GIB)}
    assert ask(need(8, gpus=1)).apart
    fake_ray.nodes["cores"]["memory"] = 6 * GIB
    assert ask(need(8, gpus=1)) == Ask(0, 1)


def test_who_is_to_wait_asks_for_what_will_be_there(fake_ray, monkeypatch) -> None:
    busy = {"a": node(0.5)}
    monkeypatch.setattr("pipeline.runtime.ray_room.available_resources_per_node", lambda: busy)
    fake_ray.nodes = {"a": node(4)}
    assert ask(need(), wait=True) == Ask(2, 0, 4 * GIB)
    assert ask(need(8), wait=True) == Ask(1, 0, 2 * GIB, apart=True), "no node can hold them all"
    options = decoder_options(need(8), Ask(1, apart=True), "a" * 56, wait=True)
    assert options["num_cpus"] == 0.5
    assert ask(need()) == Ask(0, 0)


def test_a_decoder_goes_where_there_is_room_near_its_engine_first(fake_ray) -> None:
    here = "a" * 56
    apart = decoder_options(need(), Ask(1, apart=True), here, wait=False)
    assert (apart["num_cpus"], apart["memory"]) == (0.5, GIB)
    near = apart["scheduling_strategy"]
    assert (near.node_id, near.soft, near._spill_on_unavailable) == (here, True, True)
    within = decoder_options(need(), Ask(2), here, wait=False)
    assert (within["num_cpus"], within["scheduling_strategy"].soft) == (0, False)
    fake_ray.nodes = {"a": node(0.4)}
    full = decoder_options(need(), Ask(1, apart=True), here, wait=False)
    assert (full["num_cpus"], full["scheduling_strategy"].soft) == (0, False)


def test_on_a_head_without_cpus_nodes_are_waited_for(fake_ray) -> None:
    fake_ray.nodes = {"head": node(0)}
    assert ask(need()) == Ask(2, 0, 4 * GIB)


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
        "9 of 9 CPUs, 1 of 1 GPUs, 0.0 of 0.0 GiB"
    )
