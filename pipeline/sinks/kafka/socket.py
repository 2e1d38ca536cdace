"""A way to a broker that leaves no socket behind.

kafka-python 3.0.12 forgets two sockets, open until the garbage collector comes by: that of a
connection that is still being made when its client is closed or its time is up, and that of a
connection whose last request was not sent yet when its client is closed.
"""

from __future__ import annotations

from typing import Any, ClassVar
from weakref import WeakKeyDictionary, WeakSet

from kafka.future import Future
from kafka.net.inet import KafkaNetSocket

DIRECT = "direct://"
"""As a client's `proxy_url`: no proxy, by a `DirectSocket`."""


class DirectSocket(KafkaNetSocket):  # type: ignore[misc]  # kafka-python has no types
    """How kafka-python connects, without a proxy. It is found by its scheme."""

    SCHEMES = ("direct",)

    _connected: ClassVar[WeakKeyDictionary[Any, WeakSet[Any]]] = WeakKeyDictionary()  # by loop

    async def sock_connect(
        self, net: Any, sock: Any, sockaddr: Any, timeout_at: float | None = None
    ) -> Any:
        try:
            await super().sock_connect(net, sock, sockaddr, timeout_at=timeout_at)
        except BaseException:  # the end of a coroutine, too
            sock.close()
            raise
        if net not in self._connected:
            self._connected[net] = WeakSet()
            net.call_soon(_close_at_the_end(self._connected[net]))
        self._connected[net].add(sock)
        return sock


async def _close_at_the_end(sockets: WeakSet[Any]) -> None:
    """Waits for ever; an event loop that is closed ends its coroutines, this one too."""
    try:
        await Future()
    finally:
        for sock in list(sockets):
            sock.close()
