"""A job's HTTP service: its socket, and the thread that answers whoever may ask."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import uvicorn
from starlette.types import ASGIApp

from operators.errors import UsageError
from pipeline.web.guard import Guard
from pipeline.web.place import Place
from pipeline.web.policy import Policy
from pipeline.web.sockets import Sockets

MOST_MESSAGE_BYTES = 64 << 10  # that a page may send at once over its WebSocket
PING_S = 20.0  # after which a page that has gone without a word is found out


@contextmanager
def bound(place: Place) -> Iterator[socket.socket]:
    """A socket that listens there.

    Raises:
        UsageError: somebody else does, or there is no such address.
    """
    family = socket.AF_INET6 if ":" in place.host else socket.AF_INET
    try:
        server = socket.create_server((place.host, place.port), family=family)
    except OSError as error:
        raise UsageError(f"cannot listen on {place.host}:{place.port}: {error.strerror}") from None
    with server:
        yield server


@contextmanager
def answering(app: ASGIApp, place: Place, server: socket.socket) -> Iterator[None]:
    """Answers from a thread of its own until the end of the block."""
    place = replace(place, port=server.getsockname()[1])
    sockets = Sockets(app)
    config = uvicorn.Config(
        Policy(Guard(sockets, place)),
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="off",
        timeout_graceful_shutdown=1,
        ws_max_size=MOST_MESSAGE_BYTES,
        ws_ping_interval=PING_S,
        ws_ping_timeout=PING_S,
        ws_per_message_deflate=False,  # pictures are compressed
    )
    http = _Server(config, sockets)
    thread = threading.Thread(target=http.run, args=([server],), name="http", daemon=True)
    thread.start()
    try:
        yield
    finally:
        http.should_exit = True
        thread.join()


class _Server(uvicorn.Server):
    """Tells its WebSockets that it ends, in the word that means this."""

    def __init__(self, config: uvicorn.Config, sockets: Sockets) -> None:
        super().__init__(config)
        self._sockets = sockets

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await self._sockets.close()
        await super().shutdown(sockets)
