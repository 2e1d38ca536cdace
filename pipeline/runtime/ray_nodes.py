"""What the nodes of a cluster have free, and which of them are about to go.

Asked of the head again and again on a thread of its own: while the head is away an answer may take
a minute, in which somebody must still speak to the engines.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping, Set
from dataclasses import dataclass, field

import ray
from ray._private.state import actors, available_resources_per_node, total_resources_per_node
from ray._private.state import state as cluster_state
from ray.actor import ActorHandle

from pipeline.errors import RuntimeFailure

log = logging.getLogger(__name__)

LOOK_S = 2.0  # between two looks; notices of nodes that are to go give 30 s and more

Resources = Mapping[str, Mapping[str, float]]  # of every node, by its id and Ray's names


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The nodes of one moment.

    Attributes:
        free: what nobody has asked for; nothing on nodes that are to go.
        total: what they have.
        leaving: ids of those that are to go: drained, preempted, told to end by Kubernetes.
    """

    free: Resources = field(default_factory=dict)
    total: Resources = field(default_factory=dict)
    leaving: Set[str] = frozenset()

    def has(self, kind: str) -> float:
        """So much of a resource in all."""
        return sum(node.get(kind, 0.0) for node in self.total.values())

    def has_free(self, kind: str) -> float:
        """And so much of it is free."""
        return sum(node.get(kind, 0.0) for node in self.free.values())


class Nodes:
    """Of the cluster that this process is connected to.

    Attributes:
        now: as of the last look.
    """

    def __init__(self) -> None:
        self.now = Snapshot()
        self._own = ""  # the node that this process is on
        self._over = threading.Event()

    def look(self) -> Snapshot:
        """Ask now, however long that takes."""
        self.now = Snapshot(
            available_resources_per_node(),
            total_resources_per_node(),
            frozenset(cluster_state.get_draining_nodes()),
        )
        return self.now

    def begin(self) -> None:
        """Look now, and again and again until `close`."""
        self._own = ray.get_runtime_context().get_node_id()
        self.look()
        threading.Thread(target=self._watch, name="nodes", daemon=True).start()

    def are_leaving(self, *homes: ActorHandle) -> bool:
        """Whether one of these actors is on a node that is to go."""
        leaving = self.now.leaving
        return bool(leaving) and any(self.of(actor) in leaving for actor in homes)

    def require_own(self) -> None:
        """See that the cluster still knows the node that this process is on. Ray takes all that a
        process there owns for dead from then on, what it starts later too, and does not tell it.

        Raises:
            RuntimeFailure: it was given up, as after a pause of the machine.
        """
        if self.now.total and self._own not in self.now.total:
            raise RuntimeFailure(
                "the cluster has given up the node under this job, which was paused, cut off or "
                "killed; start the node anew, and the job, which goes on from its last commits"
            )

    @staticmethod
    def of(actor: ActorHandle) -> str:
        """Id of the node where an actor is; empty: it is nowhere, not yet or no more."""
        node = str(actors(actor._actor_id.hex())["Address"]["NodeID"])
        return "" if set(node) == {"f"} else node  # as Ray writes none

    def close(self) -> None:
        """Look no more."""
        self._over.set()

    def _watch(self) -> None:
        while not self._over.wait(LOOK_S):
            try:
                self.look()
            except Exception as error:  # the head is away; whoever needs it says so
                log.debug("the head cannot be asked for its nodes: %s", error)
