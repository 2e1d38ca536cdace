"""Whether anybody listens at an address, and if not, why."""

from __future__ import annotations

import queue
import socket
import threading
import time
from collections.abc import Sequence

from pipeline.sinks.kafka.deadline import Deadline

TRY_S = 2.0
PAUSE_S = 0.2


class Unreachable(Exception):
    """No server takes connections; the text says why, for each."""


def reach(servers: Sequence[str], deadline: Deadline) -> None:
    """Wait until one of the servers takes connections.

    kafka-python says of every failure only that it could not bootstrap, and every client that could
    not keeps a thread and sockets for ever; so none is made for a broker that is not there.

    Args:
        servers: `host:port` each.
        deadline: until when to try.

    Raises:
        Unreachable: none does.
        Stalled: names are not resolved in time.
    """
    while True:
        reasons = deadline.run(lambda: _refusals(servers))
        if "" in reasons.values():
            return
        if deadline.left_s <= PAUSE_S:
            raise Unreachable("; ".join(f"{server}: {reasons[server]}" for server in servers))
        time.sleep(PAUSE_S)


def _refusals(servers: Sequence[str]) -> dict[str, str]:
    """Server -> why it takes no connection; not of all, where one does. A machine without power
    says nothing, and those after it in the list would never be asked."""
    told: queue.SimpleQueue[tuple[str, str]] = queue.SimpleQueue()

    def ask(server: str) -> None:
        why = "it could not be asked"
        try:
            why = _refusal(server)
        finally:  # whoever waits for the answer waits for ever
            told.put((server, why))

    for server in servers:
        threading.Thread(target=ask, args=(server,), name="reach", daemon=True).start()
    reasons: dict[str, str] = {}
    while len(reasons) < len(set(servers)) and "" not in reasons.values():
        reasons |= [told.get()]
    return reasons


def _refusal(server: str) -> str:
    host, _, port = server.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=TRY_S).close()
    except UnicodeError as error:
        return f"{host} is no name of a host: {error}"
    except OSError as error:
        return error.strerror or str(error)
    return ""
