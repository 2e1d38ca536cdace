"""What engines and decoders ask of a cluster, and what it has.

A share of a GPU is asked for and waited for, because another device computes otherwise. CPUs and
memory are asked for where they are free, so that jobs keep out of each other's way: on one node for
an engine with its decoders, else for each by itself, so that the decoders of an engine on a node of
GPUs run on nodes of CPUs. An engine that finds too few goes in beside others, slower, unless the
job is to wait, as it must where an autoscaler adds nodes for who waits. Sinks, which wait for disks
and brokers, ask for nothing.
"""

from __future__ import annotations

import logging
import math
import random
from collections.abc import Set
from dataclasses import dataclass
from typing import Any, Literal

from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from operators.backbones.architectures import Architecture
from operators.errors import UsageError
from pipeline.runtime.ray_nodes import Resources, Snapshot

log = logging.getLogger(__name__)

ENGINE_CPUS = 1.0
DECODER_CPUS = 0.5  # so that an engine with two decoders has room on two cores
DECODER_STREAMS = 8  # cameras of 1280x720, 25 frames/s, that so much of a core decodes
ENGINE_BYTES = 1100 << 20  # torch, Ray and batches: 1.3 GiB with a ViT-S on CPUs
WEIGHT_BYTES = 8  # of a parameter: as it was read, and as it is computed with
DECODER_BYTES = 100 << 20  # of a decode actor
STREAM_BYTES = 142 << 20  # and of each child process, docs/deploy.md
_PARTS = 10_000  # Ray counts parts of a resource in ten-thousandths
_GIB = 1 << 30


@dataclass(frozen=True, slots=True)
class Need:
    """What one engine of a job and its decoders need.

    Attributes:
        gpus: part of one.
        engine_bytes: memory of the engine.
        decoders: decode actors.
        decoder_bytes: memory of each, with its child processes.
    """

    gpus: float
    engine_bytes: int
    decoders: int
    decoder_bytes: int

    @classmethod
    def of(cls, arch: Architecture, gpus: float, decoders: int, streams: int) -> Need:
        """Of an engine with so many decoders and streams."""
        each = -(-streams // decoders)
        return cls(
            gpus=gpus,
            engine_bytes=ENGINE_BYTES + WEIGHT_BYTES * arch.parameters,
            decoders=decoders,
            decoder_bytes=DECODER_BYTES + STREAM_BYTES * each,
        )


@dataclass(frozen=True, slots=True)
class Ask:
    """What one actor asks for.

    Attributes:
        apart: of an engine, its decoders ask for themselves.
    """

    cpus: float
    gpus: float = 0.0
    memory_bytes: int = 0
    apart: bool = False

    def options(self, nodes: Snapshot, avoid: Set[str] = frozenset()) -> dict[str, Any]:
        """As options of an engine's actor. Engines of a job go to different nodes where that is
        possible: one on a CPU takes all cores. No node is left out for good but those where there
        is nothing to compute with.

        Args:
            nodes: of the cluster.
            avoid: nodes that may be lost.
        """
        return {
            "num_cpus": self.cpus,
            "num_gpus": self.gpus,
            "memory": self.memory_bytes or None,
            "scheduling_strategy": self._where(nodes, avoid),
        }

    def _where(self, nodes: Snapshot, avoid: Set[str]) -> str | NodeAffinitySchedulingStrategy:
        if not self.cpus and not self.gpus:
            return _where_cpus_are(nodes, avoid)
        others = {node: free for node, free in nodes.free.items() if node not in avoid}
        rooms = [node for node, free in others.items() if _places(self, {node: free})]
        if not avoid or not rooms:
            return "SPREAD"
        chosen = random.choice(rooms)
        return NodeAffinitySchedulingStrategy(chosen, soft=True, _spill_on_unavailable=True)

    def resources(self) -> dict[str, float]:
        """As Ray names them."""
        return {"CPU": self.cpus, "GPU": self.gpus, "memory": self.memory_bytes}

    def __str__(self) -> str:
        told = f"{self.cpus:g} CPUs and {self.gpus:g} GPUs"
        return f"{told}, {self.memory_bytes / _GIB:.1f} GiB" if self.memory_bytes else told


def decoder_options(
    need: Need, engine: Ask, here: str, nodes: Snapshot, *, wait: bool
) -> dict[str, Any]:
    """Options of one decode actor: on its engine's node where that has asked for it or has room,
    else on another one that has, else on its engine's all the same.

    Args:
        need: of its engine.
        engine: what that has asked for.
        here: the node where that is.
        nodes: of the cluster.
        wait: for room.
    """
    own = Ask(DECODER_CPUS, memory_bytes=need.decoder_bytes)
    if not engine.apart or not (wait or has_room(own, nodes)):
        return {
            "num_cpus": 0,
            "scheduling_strategy": NodeAffinitySchedulingStrategy(here, soft=False),
        }
    near = NodeAffinitySchedulingStrategy(here, soft=True, _spill_on_unavailable=True)
    return {"num_cpus": own.cpus, "memory": own.memory_bytes, "scheduling_strategy": near}


def _where_cpus_are(nodes: Snapshot, avoid: Set[str]) -> str | NodeAffinitySchedulingStrategy:
    """Ray puts who asks for nothing anywhere: on a head without CPUs too."""
    stays = {node: has for node, has in nodes.total.items() if node not in nodes.leaving}
    computing = [node for node, has in stays.items() if has.get("CPU")]
    computing = [node for node in computing if node not in avoid] or computing
    if not computing or len(computing) == len(nodes.total):
        return "SPREAD"
    return NodeAffinitySchedulingStrategy(random.choice(computing), soft=False)


def gpu_share(asked: float | Literal["auto"], engines: int, nodes: Snapshot, *, own: bool) -> float:
    """Part of a GPU for each engine.

    Args:
        asked: the user's; `auto`: a GPU each, or as many engines on one as there must be, or none
            where the cluster has none.
        engines: of the job.
        nodes: of the cluster.
        own: the cluster is the job's own, and will not grow.

    Raises:
        UsageError: a cluster of our own has too few.
    """
    gpus = int(nodes.has("GPU"))
    if asked == "auto":
        beside = math.ceil(engines / gpus) if gpus else math.inf
        return math.floor(_PARTS / beside) / _PARTS
    if own and asked and engines > gpus * _times(1.0, asked):
        raise UsageError(
            f"gpus_per_engine is {asked:g} and engines {engines}, but GPUs of this machine {gpus}; "
            "leave gpus_per_engine out, and engines share what is there"
        )
    return asked


def ask(need: Need, nodes: Snapshot, engines: int = 1, *, wait: bool = False) -> Ask:
    """What each of some engines that are about to start asks for.

    Args:
        need: of one.
        nodes: of the cluster.
        engines: how many start now.
        wait: for CPUs and memory too.
    """
    decoders = Ask(DECODER_CPUS * need.decoders, memory_bytes=need.decoder_bytes * need.decoders)
    alone = Ask(ENGINE_CPUS, need.gpus, need.engine_bytes, apart=True)
    whole = Ask(alone.cpus + decoders.cpus, need.gpus, alone.memory_bytes + decoders.memory_bytes)
    free, total = nodes.free, nodes.total
    if not nodes.has("CPU"):
        return whole  # nodes with CPUs are still to come
    if _places(whole, free) >= engines:
        return whole
    one = Ask(DECODER_CPUS, memory_bytes=need.decoder_bytes)
    beside = engines * int(ENGINE_CPUS / DECODER_CPUS)
    if _places(alone, free) >= engines and _places(one, free) >= beside + engines * need.decoders:
        return alone
    if wait:
        return whole if _places(whole, total) else alone
    if _places(Ask(0.0, need.gpus), free) >= engines:
        log.info("%s for an engine and its decoders are not free: shared with others", whole)
    return Ask(0.0, need.gpus)


def has_room(asked: Ask, nodes: Snapshot) -> bool:
    """Whether one that asks for that could start now."""
    return _places(asked, nodes.free) > 0


def needs(asked: Ask, nodes: Snapshot) -> str:
    """What an engine asks for and what the cluster has of it, for a person."""
    told = [f"{nodes.has_free(kind):g} of {nodes.has(kind):g} {kind}s" for kind in ("CPU", "GPU")]
    memory = nodes.has_free("memory") / _GIB, nodes.has("memory") / _GIB
    told.append("{:.1f} of {:.1f} GiB".format(*memory))
    return f"it asks for {asked} on one node; free in the cluster are {', '.join(told)}"


def _places(asked: Ask, nodes: Resources) -> float:
    wanted = {kind: amount for kind, amount in asked.resources().items() if amount}
    return sum(
        min((_times(node.get(kind, 0), wanted[kind]) for kind in wanted), default=math.inf)
        for node in nodes.values()
    )


def _times(there: float, amount: float) -> int:
    """How often an amount fits into what is there, as Ray counts."""
    return round(there * _PARTS) // max(1, round(amount * _PARTS))
