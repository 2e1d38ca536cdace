"""What a server sends over a TCP connection and nothing more, as bytes."""

from __future__ import annotations

import socket

from pipeline.media.endpoint import Endpoint

_PEEKED = 64


class Connection:
    """Implements what libav reads from; cannot be sought."""

    def __init__(self, endpoint: Endpoint, timeout_s: float) -> None:
        """Connect.

        Args:
            endpoint: of the server.
            timeout_s: longest wait for it, and longest silence of it.

        Raises:
            OSError: nobody is there.
        """
        place = (endpoint.host, endpoint.port)
        self._socket = socket.create_connection(place, timeout=timeout_s)

    def peek(self) -> bytes:
        """The next bytes, which stay to be read; raises as `read` does."""
        return self._socket.recv(_PEEKED, socket.MSG_PEEK)

    def read(self, size: int) -> bytes:
        """What has come, up to `size` bytes; none where the server has hung up.

        Raises:
            OSError: nothing came in time, or the connection broke.
        """
        return self._socket.recv(size)

    def close(self) -> None:
        """Hang up."""
        self._socket.close()
