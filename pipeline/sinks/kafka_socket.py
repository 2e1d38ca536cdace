"""A way to a broker that leaves no socket behind.

kafka-python 3.0.12 forgets the socket of a connection that is still being made when its client is
closed or its time is up: open until the garbage collector comes by.
"""

from __future__ import annotations

from typing import Any

from kafka.net.inet import KafkaNetSocket

DIRECT = "direct://"
"""As a client's `proxy_url`: no proxy, by a `DirectSocket`."""


class DirectSocket(KafkaNetSocket):  # type: ignore[misc]  # kafka-python has no types
    """How kafka-python connects, without a proxy. It is found by its scheme."""

    SCHEMES = ("direct",)

    async def sock_connect(
        self, net: Any, sock: Any, sockaddr: Any, timeout_at: float | None = None
    ) -> Any:
        try:
            return await super().sock_connect(net, sock, sockaddr, timeout_at=timeout_at)
        except BaseException:  # the end of a coroutine, too
            sock.close()
            raise
