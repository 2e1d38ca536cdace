"""Whether anybody listens at an address, and if not, why."""

from __future__ import annotations

import socket
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
        reasons = deadline.run(lambda: [_refusal(server) for server in servers])
        if "" in reasons:
            return
        if deadline.left_s <= PAUSE_S:
            pairs = zip(servers, reasons, strict=True)
            raise Unreachable("; ".join(f"{server}: {reason}" for server, reason in pairs))
        time.sleep(PAUSE_S)


def _refusal(server: str) -> str:
    host, _, port = server.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=TRY_S).close()
    except OSError as error:
        return error.strerror or str(error)
    return ""
