"""Shoutcast servers answer `ICY 200 OK`; in all else they speak HTTP/1.0, and are read as that."""

from __future__ import annotations

import http.client
import io
import re
import socket
import urllib.request
from collections.abc import Callable
from typing import Any

Connect = Callable[..., socket.socket]
"""As `socket.create_connection`."""

_GREETING = re.compile(rb"\AICY (?=[0-9]{3}\b)")


class _Answer(io.BufferedReader):
    """A connection's answer, its first line in HTTP's own words."""

    _begun = False

    def readline(self, size: int | None = -1, /) -> bytes:
        line = super().readline(size)
        first, self._begun = not self._begun, True
        return _GREETING.sub(b"HTTP/1.0 ", line, 1) if first else line


class _Response(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp = _Answer(self.fp.detach())


class _Connection(http.client.HTTPConnection):
    response_class = _Response

    def __init__(
        self, host: str, *, connect: Connect = socket.create_connection, **kwargs: Any
    ) -> None:
        super().__init__(host, **kwargs)
        self._create_connection = connect


class _EncryptedConnection(http.client.HTTPSConnection):
    response_class = _Response

    def __init__(
        self, host: str, *, connect: Connect = socket.create_connection, **kwargs: Any
    ) -> None:
        super().__init__(host, **kwargs)
        self._create_connection = connect


class ShoutcastHandler(urllib.request.HTTPHandler):
    """urllib's for http, with connections that somebody else makes."""

    def __init__(self, connect: Connect) -> None:
        super().__init__()
        self._connect = connect

    def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(_Connection, req, connect=self._connect)


class EncryptedShoutcastHandler(urllib.request.HTTPSHandler):
    """The same for https."""

    def __init__(self, connect: Connect) -> None:
        super().__init__()
        self._connect = connect

    def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(_EncryptedConnection, req, connect=self._connect)
