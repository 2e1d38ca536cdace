"""Shoutcast servers answer `ICY 200 OK`; in all else they speak HTTP/1.0, and are read as that."""

from __future__ import annotations

import http.client
import io
import re
import socket
import urllib.request
from typing import Any

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


class _EncryptedConnection(http.client.HTTPSConnection):
    response_class = _Response


class ShoutcastHandler(urllib.request.HTTPHandler):
    """urllib's for http."""

    def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(_Connection, req)


class EncryptedShoutcastHandler(urllib.request.HTTPSHandler):
    """urllib's for https."""

    def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(_EncryptedConnection, req)
