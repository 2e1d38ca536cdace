"""What engines ask for fits: shares of GPUs, CPUs where they are free."""

from __future__ import annotations

import logging
import math
from typing import Any

import pytest

from operators.backbones.architectures import architecture
from operators.errors import UsageError
from pipeline.runtime.ray_nodes import Snapshot
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
HERE, THERE = "a" * 56, "b" * 56  # as Ray names nodes
ROOMY = 64.0 * GIB


def node(cpus: float, gpus: float = 0.0, memory: float = ROOMY) -> dict[str, float]:
    return {"CPU": cpus, "GPU": gpus, "memory": memory}


def need(decoders: int = 2, gpus: float = 0.0) -> Need:
    return Need(gpus, 2 * GIB, decoders, GIB)


def nodes(**free: dict[str, float]) -> Snapshot:
    """A cluster where nothing is in use."""
    return Snapshot(free, free)


LAPTOP = nodes(head=node(2))


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
def test_engines_share_the_gpus_that_there_are(gpus, engines, share) -> None:
    """None is left to the CPU, where it would compute otherwise than the others."""
    cluster = nodes(**{str(index): node(2, count) for index, count in enumerate(gpus)})
    assert gpu_share("auto", engines, cluster, own=True) == share
    if gpus:
        assert sum(count * math.floor(1 / share) for count in gpus) >= engines


def test_what_a_machine_has_not_is_refused_and_what_a_cluster_has_not_is_waited_for() -> None:
    with pytest.raises(UsageError, match=r"is 0\.5 and engines 2, but GPUs of this machine 0"):
        gpu_share(0.5, 2, LAPTOP, own=True)
    assert gpu_share(0.5, 2, LAPTOP, own=False) == 0.5
    assert gpu_share(0, 2, LAPTOP, own=True) == 0
    one = nodes(head=node(2, 1))
    assert gpu_share(0.5, 2, one, own=True) == 0.5
    assert gpu_share(0.1, 10, one, own=True) == 0.1
    with pytest.raises(UsageError, match="engines 3"):
        gpu_share(0.6, 3, nodes(head=node(2, 2)), own=True)  # 1.8 in all, but only one on each


def test_one_engine_has_room_on_two_cores() -> None:
    assert ask(need(), LAPTOP) == Ask(2, 0, 4 * GIB)


def test_what_an_engine_needs_grows_with_its_model_and_its_streams() -> None:
    small, large = (architecture(f"dinov2_vit{size}14") for size in ("s", "g"))
    assert Need.of(small, 0, 2, 4).engine_bytes / GIB == pytest.approx(1.3, abs=0.1)
    assert Need.of(large, 0, 2, 4).engine_bytes / GIB == pytest.approx(9.5, abs=0.5)
    swin = architecture("swin_small_patch4_window7_224")  # 50 million parameters, most in stage 3
    assert swin.parameters == pytest.approx(48.8e6, rel=0.05)
    one, many = (Need.of(small, 0, 2, streams).decoder_bytes for streams in (1, 100))
    assert many - one == 49 * (one - (100 << 20))


def test_cpus_are_never_waited_for(caplog) -> None:
    caplog.set_level(logging.INFO, "pipeline")
    assert ask(need(), LAPTOP, engines=2) == Ask(0, 0)
    assert "2 CPUs and 0 GPUs, 4.0 GiB for an engine and its decoders are not free" in caplog.text
    assert ask(need(), nodes(a=node(1.5), b=node(0.5))) == Ask(1, 0, 2 * GIB, apart=True)
    assert ask(need(), nodes(a=node(1.5))) == Ask(0, 0), "with one of its decoders it would"
    assert ask(need(), nodes(a=node(2), b=node(3)), engines=2) == Ask(2, 0, 4 * GIB)


def test_an_engine_on_a_node_of_few_cores_has_its_decoders_elsewhere() -> None:
    cluster = nodes(gpu=node(2, 1), cores=node(4))
    asked = ask(need(8, gpus=1), cluster)
    assert asked == Ask(ENGINE_CPUS, 1, 2 * GIB, apart=True)
    assert ask(need(2, gpus=1), cluster) == Ask(2, 1, 4 * GIB), "where they have room beside it"
    assert ask(need(11, gpus=1), cluster) == Ask(0, 1), "one more than there is room for"


def test_memory_decides_as_cores_do() -> None:
    gpu = node(16, 1, 3 * GIB)
    assert ask(need(8, gpus=1), nodes(gpu=gpu, cores=node(16, 0, 8 * GIB))).apart
    assert ask(need(8, gpus=1), nodes(gpu=gpu, cores=node(16, 0, 6 * GIB))) == Ask(0, 1)


def test_who_is_to_wait_asks_for_what_will_be_there() -> None:
    busy = Snapshot({"a": node(0.5)}, {"a": node(4)})
    assert ask(need(), busy, wait=True) == Ask(2, 0, 4 * GIB)
    apart = ask(need(8), busy, wait=True)
    assert apart == Ask(1, 0, 2 * GIB, apart=True), "no node can hold them all"
    assert decoder_options(need(8), apart, HERE, busy, wait=True)["num_cpus"] == 0.5
    assert ask(need(), busy) == Ask(0, 0)


def test_a_decoder_goes_where_there_is_room_near_its_engine_first() -> None:
    apart = decoder_options(need(), Ask(1, apart=True), HERE, LAPTOP, wait=False)
    assert (apart["num_cpus"], apart["memory"]) == (0.5, GIB)
    near = apart["scheduling_strategy"]
    assert (near.node_id, near.soft, near._spill_on_unavailable) == (HERE, True, True)
    within = decoder_options(need(), Ask(2), HERE, LAPTOP, wait=False)
    assert (within["num_cpus"], within["scheduling_strategy"].soft) == (0, False)
    full = decoder_options(need(), Ask(1, apart=True), HERE, nodes(a=node(0.4)), wait=False)
    assert (full["num_cpus"], full["scheduling_strategy"].soft) == (0, False)


def test_on_a_head_without_cpus_nodes_are_waited_for() -> None:
    assert ask(need(), nodes(head=node(0))) == Ask(2, 0, 4 * GIB)


def strategy(asked: Ask, cluster: Snapshot, *avoid: str) -> Any:
    return asked.options(cluster, set(avoid))["scheduling_strategy"]


def test_who_asks_for_nothing_goes_where_there_are_cpus() -> None:
    """A head or a driver's node that has none is there for other things."""
    computing = {HERE: node(2), THERE: node(2)}
    cluster = nodes(head=node(0), driver={}, **computing)
    found = [strategy(Ask(0, 0), cluster) for _ in range(64)]
    assert {one.node_id for one in found} == {HERE, THERE}
    assert not any(one.soft for one in found), "soft ones go elsewhere where a node is busy"
    assert strategy(Ask(2, 0), cluster) == strategy(Ask(0, 1), cluster) == "SPREAD"
    assert strategy(Ask(0, 0), nodes(**computing)) == "SPREAD"


def test_nobody_goes_to_a_node_that_is_to_go() -> None:
    cluster = Snapshot({}, {HERE: node(2), THERE: node(2)}, {HERE})
    assert {strategy(Ask(0, 0), cluster).node_id for _ in range(32)} == {THERE}


def test_a_successor_goes_where_its_predecessor_was_only_where_it_must() -> None:
    """Ray takes a dead node for a place like any other until it has given it up."""
    pair = nodes(**{HERE: node(2), THERE: node(2)})
    for asked in (Ask(2), Ask(0)):
        found = [strategy(asked, pair, HERE) for _ in range(16)]
        assert {one.node_id for one in found} == {THERE}
    assert strategy(Ask(2), pair, HERE)._spill_on_unavailable, "if somebody else was quicker"
    assert strategy(Ask(2), nodes(**{HERE: node(2), THERE: node(1)}), HERE) == "SPREAD"
    assert strategy(Ask(0), nodes(**{HERE: node(2)}), HERE) == "SPREAD"


def test_room_is_on_one_node() -> None:
    cluster = nodes(a=node(8), b=node(1, 1, 0))
    assert has_room(Ask(1, 0.5), cluster)
    assert has_room(Ask(0.1, 1), cluster)
    assert not has_room(Ask(2, 0.5), cluster)
    assert needs(Ask(2, 0.5), cluster) == (
        "it asks for 2 CPUs and 0.5 GPUs on one node; free in the cluster are "
        "9 of 9 CPUs, 1 of 1 GPUs, 64.0 of 64.0 GiB"
    )
