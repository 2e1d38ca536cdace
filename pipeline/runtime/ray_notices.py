"""Which nodes of a cluster are about to go: drained, preempted, told to end by Kubernetes."""

from __future__ import annotations

import logging
import threading
from collections.abc import Set

from ray._private.state import actors
from ray._private.state import state as cluster_state
from ray.actor import ActorHandle

log = logging.getLogger(__name__)

NOTICE_S = 2.0  # between looks; notices give 30 s and more


class Notices:
    """Asks the head again and again, on a thread of its own: while the head is away an answer may
    take a minute, in which somebody must still speak to the engines."""

    def __init__(self) -> None:
        self._over = threading.Event()
        self._leaving: Set[str] = frozenset()

    def begin(self) -> None:
        """Look from now on, until `close`."""
        threading.Thread(target=self._watch, name="notices", daemon=True).start()

    def concern(self, *needed: ActorHandle) -> bool:
        """Whether one of these actors is on a node that is to go."""
        leaving = self._leaving
        return bool(leaving) and any(_node_of(actor) in leaving for actor in needed)

    def close(self) -> None:
        """Look no more."""
        self._over.set()

    def _watch(self) -> None:
        while not self._over.wait(NOTICE_S):
            try:
                self._leaving = frozenset(cluster_state.get_draining_nodes())
            except Exception as error:  # the head is away; whoever needs it says so
                log.debug("nodes that are to go cannot be asked for: %s", error)


def _node_of(actor: ActorHandle) -> str:
    return str(actors(actor._actor_id.hex())["Address"]["NodeID"])
