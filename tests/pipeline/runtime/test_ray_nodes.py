"""What the nodes of a cluster have is known from the last look; the head may be away meanwhile."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from pipeline.errors import RuntimeFailure
from pipeline.runtime import ray_nodes
from pipeline.runtime.ray_nodes import Nodes, Snapshot


def test_of_all_nodes_together() -> None:
    nodes = Snapshot({"a": {"CPU": 1.5}, "b": {}}, {"a": {"CPU": 2.0}, "b": {"CPU": 1.0}})
    assert (nodes.has_free("CPU"), nodes.has("CPU"), nodes.has("GPU")) == (1.5, 3.0, 0.0)


def test_while_the_head_is_away_the_last_look_holds(
    monkeypatch: pytest.MonkeyPatch, processes
) -> None:
    looks = []

    def available() -> dict[str, dict[str, float]]:
        looks.append(len(looks))
        if len(looks) == 2:
            raise ConnectionError("the head is away")
        return {"a": {"CPU": float(len(looks))}}

    monkeypatch.setattr(ray_nodes, "LOOK_S", 0.01)
    here = SimpleNamespace(get_node_id=lambda: "a")
    monkeypatch.setattr(ray_nodes.ray, "get_runtime_context", lambda: here)
    monkeypatch.setattr(ray_nodes, "available_resources_per_node", available)
    monkeypatch.setattr(ray_nodes, "total_resources_per_node", dict)
    monkeypatch.setattr(ray_nodes.cluster_state, "get_draining_nodes", lambda: {"a": 0})
    nodes = Nodes()
    nodes.begin()
    assert nodes.now == Snapshot({"a": {"CPU": 1.0}}, {}, frozenset("a"))
    processes.wait_until(lambda: len(looks) > 3)
    assert nodes.now.free["a"]["CPU"] > 2, "it goes on looking"
    nodes.close()


@pytest.mark.slow
def test_of_a_cluster(connected, processes) -> None:
    node = connected.add(num_cpus=3, resources={"lamp": 1})
    nodes = Nodes()
    processes.wait_until(lambda: nodes.look().free.get(node.node_id, {}).get("lamp") == 1)
    assert nodes.now.total[node.node_id]["CPU"] == 3
    assert not nodes.now.leaving, "test_ray_run.py drains one"
    connected.kill(node)


@pytest.mark.slow
def test_a_node_that_was_given_up_is_no_place_for_a_driver(
    connected, processes, monkeypatch
) -> None:
    node = connected.add(num_cpus=0)
    here = SimpleNamespace(get_node_id=lambda: node.node_id)
    monkeypatch.setattr(ray_nodes.ray, "get_runtime_context", lambda: here)
    nodes = Nodes()
    processes.wait_until(lambda: node.node_id in nodes.look().total)
    nodes.begin()
    nodes.require_own()
    connected.kill(node)
    processes.wait_until(lambda: node.node_id not in nodes.now.total)
    with pytest.raises(RuntimeFailure, match="given up the node under this job"):
        nodes.require_own()
    nodes.close()
