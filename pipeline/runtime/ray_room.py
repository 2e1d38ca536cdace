"""What engines ask of a cluster, and what it has.

A share of a GPU is asked for and waited for, because another device computes otherwise. CPUs are
asked for where they are free, so that jobs keep out of each other's way, and never waited for: an
engine that finds too few goes in beside others, slower. Its decoders run where it runs, on what it
asked for. Sinks, which wait for disks and brokers, ask for nothing.
"""

from __future__ import annotations

import logging
import math
import random
from dataclasses import dataclass
from typing import Any, Literal

import ray
from ray._private.state import available_resources_per_node, total_resources_per_node
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from operators.errors import UsageError

log = logging.getLogger(__name__)

ENGINE_CPUS = 1.0
DECODER_CPUS = 0.5  # so that an engine with two decoders has room on two cores
_PARTS = 10_000  # Ray counts parts of a resource in ten-thousandths


@dataclass(frozen=True, slots=True)
class Ask:
    """What one engine asks for."""

    cpus: float
    gpus: float

    def options(self) -> dict[str, Any]:
        """As options of its actor. Engines of a job go to different nodes where that is possible:
        one on a CPU takes all cores."""
        nowhere = not self.cpus and not self.gpus
        return {
            "num_cpus": self.cpus,
            "num_gpus": self.gpus,
            "scheduling_strategy": _where_cpus_are() if nowhere else "SPREAD",
        }

    def __str__(self) -> str:
        return f"{self.cpus:g} CPUs and {self.gpus:g} GPUs"


def _where_cpus_are() -> str | NodeAffinitySchedulingStrategy:
    """Ray puts who asks for nothing anywhere: on a head without CPUs too."""
    nodes = total_resources_per_node()
    computing = [node for node, has in nodes.items() if has.get("CPU")]
    if not computing or len(computing) == len(nodes):
        return "SPREAD"
    return NodeAffinitySchedulingStrategy(random.choice(computing), soft=False)


def gpu_share(asked: float | Literal["auto"], engines: int, *, own: bool) -> float:
    """Part of a GPU for each engine.

    Args:
        asked: the user's; `auto`: a GPU each, or as many engines on one as there must be, or none
            where the cluster has none.
        engines: of the job.
        own: the cluster is the job's own, and will not grow.

    Raises:
        UsageError: a cluster of our own has too few.
    """
    gpus = int(ray.cluster_resources().get("GPU", 0))
    if asked == "auto":
        beside = math.ceil(engines / gpus) if gpus else math.inf
        return math.floor(_PARTS / beside) / _PARTS
    if own and asked and engines > gpus * _times(1.0, asked):
        raise UsageError(
            f"gpus_per_engine is {asked:g} and engines {engines}, but GPUs of this machine {gpus}; "
            "leave gpus_per_engine out, and engines share what is there"
        )
    return asked


def ask(decoders: int, gpus: float, engines: int = 1) -> Ask:
    """What each of some engines that are about to start asks for.

    Args:
        decoders: decode actors of each.
        gpus: part of a GPU for each.
        engines: how many start now.
    """
    wanted = ENGINE_CPUS + DECODER_CPUS * decoders
    whole = Ask(wanted, gpus)
    if ray.cluster_resources().get("CPU", 0) == 0:
        return whole  # nodes with CPUs are still to come
    if _places(whole) >= engines:
        return whole
    if _places(Ask(0.0, gpus)) >= engines:
        log.info("%g CPUs for an engine and its decoders are not free: shared with others", wanted)
    return Ask(0.0, gpus)


def has_room(asked: Ask) -> bool:
    """Whether an engine could start now."""
    return _places(asked) > 0


def needs(asked: Ask) -> str:
    """What an engine asks for and what the cluster has of it, for a person."""
    has, free = ray.cluster_resources(), ray.available_resources()
    told = [f"{free.get(kind, 0):g} of {has.get(kind, 0):g} {kind}s" for kind in ("CPU", "GPU")]
    return f"it asks for {asked} on one node; free in the cluster are {' and '.join(told)}"


def _places(asked: Ask) -> float:
    wanted = {"CPU": asked.cpus, "GPU": asked.gpus}
    return sum(
        min(
            (_times(node.get(kind, 0), amount) for kind, amount in wanted.items() if amount),
            default=math.inf,
        )
        for node in available_resources_per_node().values()
    )


def _times(there: float, amount: float) -> int:
    """How often an amount fits into what is there, as Ray counts."""
    return round(there * _PARTS) // max(1, round(amount * _PARTS))
