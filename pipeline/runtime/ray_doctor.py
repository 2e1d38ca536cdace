"""Asks every node of a Ray cluster what it has for a job. A node that does not answer is named."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import ray
from ray.actor import ActorHandle
from ray.cloudpickle import register_pickle_by_value, unregister_pickle_by_value
from ray.exceptions import RayError, RayTaskError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from pipeline.configuration.config import Config
from pipeline.errors import SinkError
from pipeline.runtime import visitor
from pipeline.runtime.examination import Examination, find_files, reach_sink
from pipeline.runtime.node_report import Clock, ClusterReport, Driver, Node, Seen
from pipeline.runtime.node_verdict import judged, other_code
from pipeline.runtime.ray_cluster import cluster
from pipeline.runtime.visitor import Versions, Visitor, versions

log = logging.getLogger(__name__)

ANSWER_S = 60.0  # a process starts on the node and says what is installed
EXAMINE_S = 300.0  # libraries of gigabytes come from a cold disk, weights are read, a broker waits
PINGS = 9
_ACTOR = re.compile(r"$|(class_name|actor_id|namespace|name|pid|ip): ")  # of ours, to nobody's use


def examine_cluster(
    address: str,
    config: Config | None,
    *,
    answer_s: float = ANSWER_S,
    examine_s: float = EXAMINE_S,
) -> ClusterReport:
    """Have a process on every live node look at it.

    Args:
        address: `HOST:PORT`, or `auto`.
        config: what is to run; None: what a job needs of nodes is not looked at.
        answer_s: how long a node may take until it says what is installed there.
        examine_s: how long it may take to look at everything else.

    Raises:
        UsageError: that is no address, or the configuration cannot be run anywhere.
        RuntimeFailure: no cluster answers there, or it refuses us.
        WeightsError: a file of the configuration cannot be read here.
    """
    driver = _driver(config)
    with cluster(address):
        nodes = [_node(facts) for facts in ray.nodes() if facts["Alive"]]
        log.info("looking at %d nodes", len(nodes))
        return judged(_seen(nodes, driver, config, answer_s, examine_s), driver)


def _driver(config: Config | None) -> Driver:
    if config is None:
        return Driver(versions())
    files, on_gpus = find_files(config), config.gpus_per_engine != 0
    try:
        return Driver(versions(), files, on_gpus, sink=reach_sink(config.sink))
    except SinkError as error:
        return Driver(versions(), files, on_gpus, sink_trouble=str(error))


def _node(facts: Mapping[str, Any]) -> Node:
    has = facts["Resources"]
    return Node(
        facts["NodeID"],
        facts["NodeManagerAddress"],
        facts["NodeManagerHostname"],
        cpus=has.get("CPU", 0.0),
        gpus=has.get("GPU", 0.0),
        object_store_bytes=has.get("object_store_memory", 0.0),
    )


def _seen(
    nodes: Sequence[Node],
    driver: Driver,
    config: Config | None,
    answer_s: float,
    examine_s: float,
) -> list[Seen]:
    visits = _Visits(nodes)
    introduced = visits.introductions(answer_s)
    clocks = visits.clocks(introduced, answer_s)
    ours = [node for node in clocks if not other_code(introduced[node], driver)]
    examined = visits.examinations(ours, config, examine_s)
    return [
        Seen(
            node,
            visits.failures.get(node.id, ""),
            introduced.get(node.id),
            clocks.get(node.id),
            examined.get(node.id),
        )
        for node in nodes
    ]


class _Visits:
    """A visitor on each of some nodes.

    Attributes:
        failures: id of a node that did not answer -> why.
    """

    def __init__(self, nodes: Sequence[Node]) -> None:
        self._visitors = _sent(nodes)
        self.failures: dict[str, str] = {}

    def introductions(self, within_s: float) -> dict[str, Versions]:
        calls = {node: one.introduce.remote() for node, one in self._visitors.items()}
        return self._answers(calls, within_s)

    def clocks(self, nodes: Iterable[str], within_s: float) -> dict[str, Clock]:
        """One node after the other, so that no question waits behind another."""
        found = {}
        for node in nodes:
            try:
                found[node] = _clock(self._visitors[node], within_s)
            except RayError as error:
                self.failures[node] = _reason(error)
        return found

    def examinations(
        self, nodes: Sequence[str], config: Config | None, within_s: float
    ) -> dict[str, Examination]:
        # No camera's password goes where only weights and the sink are looked at.
        asked = config and config.model_copy(update={"streams": {}, "sources": []})
        calls = {node: self._visitors[node].examine.remote(asked) for node in nodes}
        return self._answers(calls, within_s)

    def _answers(self, calls: Mapping[str, ray.ObjectRef[Any]], within_s: float) -> dict[str, Any]:
        """What came in time."""
        refs = list(calls.values())
        ready = ray.wait(refs, num_returns=len(refs), timeout=within_s)[0] if refs else []
        came = {}
        for node, call in calls.items():
            if call not in ready:
                self.failures[node] = f"no answer within {within_s:g} s"
                continue
            try:
                came[node] = ray.get(call)
            except RayError as error:
                self.failures[node] = _reason(error)
        return came


def _sent(nodes: Sequence[Node]) -> dict[str, ActorHandle]:
    """Visitors, which take nothing of what engines ask for."""
    register_pickle_by_value(visitor)  # a node that lacks our packages cannot import it
    try:
        new = ray.remote(num_cpus=0)(Visitor)
        return {
            node.id: new.options(
                scheduling_strategy=NodeAffinitySchedulingStrategy(node.id, soft=False)
            ).remote()
            for node in nodes
        }
    finally:
        unregister_pickle_by_value(visitor)


def _clock(asked: ActorHandle, within_s: float) -> Clock:
    """Of some questions the quickest says it best: the clock was read between there and back."""
    clocks = []
    for _ in range(PINGS):
        before_s, began_s = time.time(), time.monotonic()
        told_s: float = ray.get(asked.now_s.remote(), timeout=within_s)
        half_s = (time.monotonic() - began_s) / 2
        clocks.append(Clock(told_s - before_s - half_s, half_s))
    return min(clocks, key=lambda one: one.uncertain_s)


def _reason(error: RayError) -> str:
    if isinstance(error, RayTaskError):
        return f"{type(error.cause).__name__}: {error.cause}"
    said = [line.strip() for line in str(error).splitlines()]
    return " ".join(line for line in said if not _ACTOR.match(line))
