"""Lets one reader at a time have what is pushed, over http, and none without the password.

Not over a bare socket: its address cannot hold a password, and every user of a machine may connect
to a port of its loopback.
"""

from __future__ import annotations

import hmac
import logging
import socket
import sys
import threading
import time
from base64 import b64encode
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingTCPServer
from typing import Any
from urllib.parse import quote

from operators.errors import UsageError
from pipeline.push.reader import Reader

log = logging.getLogger(__name__)

USER = "push"
SHORTEST = 16  # password
REQUEST_S = 5.0  # that whoever connects may take to say what it wants
_POLL_S = 0.1  # that closing waits at most


class Server(ThreadingTCPServer):
    """Answers on threads of its own from the beginning.

    Attributes:
        url: what a reader needs, the password included.
        place: host and port, for whoever may see no password.
    """

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, host: str, port: int, password: str, content_type: str) -> None:
        """
        Args:
            host: a name or an address of this machine.
            port: 0: one that is free.
            password: that a reader has to know.
            content_type: of what is pushed.

        Raises:
            UsageError: nobody can listen there, or the password is too short.
        """
        if not host:  # which would be every address of this machine
            raise UsageError("a Push listens at a name or an address of this machine, got none")
        if len(password) < SHORTEST:
            raise UsageError(
                f"a Push wants a password of {SHORTEST} characters or more, got {len(password)}; "
                "without one it makes its own"
            )
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.content_type = content_type
        try:
            super().__init__((host, port), _Answer)
        except (OSError, OverflowError) as error:
            raise UsageError(
                f"cannot listen at {host}:{port}: {error}; want a name or an address of this "
                "machine, and a free port, or 0 for any"
            ) from None
        self.place = f"{f'[{host}]' if ':' in host else host}:{self.server_address[1]}"
        self.url = f"http://{USER}:{quote(password, safe='')}@{self.place}/"
        self._authorization = b"Basic " + b64encode(f"{USER}:{password}".encode())
        self._changed = threading.Condition()
        self._reader: Reader | None = None
        self._closed = False
        threading.Thread(
            target=self.serve_forever, args=(_POLL_S,), name="push", daemon=True
        ).start()

    def reader(self, until_s: float | None) -> Reader:
        """Whoever reads now, or comes.

        Args:
            until_s: on the monotonic clock; None: for ever.

        Raises:
            TimeoutError: nobody has come by then.
            ValueError: it is closed.
        """
        with self._changed:
            left_s = None if until_s is None else until_s - time.monotonic()
            self._changed.wait_for(lambda: self._closed or self._reader, left_s)
            if self._closed:
                raise ValueError("this Push is closed; make another one")
            if self._reader is None:
                raise TimeoutError("nobody has come to read the frame in time")
            return self._reader

    def dismiss(self, reader: Reader) -> None:
        """It has gone, or has to: the next one may come."""
        with self._changed:
            if self._reader is not reader:
                return
            self._reader = None
            told = reader.frames and not self._closed
        reader.hang_up()
        if told:
            log.warning(
                "the reader at %s has gone after %d frames; what it had not read of them is lost",
                self.place,
                reader.frames,
            )

    def close(self) -> None:
        """End the stream: the reader gets what was put, and nobody is let in any more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
            if self._reader is not None:
                self._reader.hang_up()
        self.shutdown()
        self.server_close()

    def knows(self, authorization: str) -> bool:
        """Whether a request may read."""
        return hmac.compare_digest(authorization.encode(), self._authorization)

    def admit(self, reader: Reader, welcome: Callable[[], None]) -> bool:
        """Take a reader in, unless there is one; it is welcomed before anything is sent to it."""
        with self._changed:
            if self._closed or self._reader is not None:
                return False
            welcome()
            self._reader = reader
            self._changed.notify_all()
            return True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Whoever breaks a connection off while it is answered is no news."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class _Answer(BaseHTTPRequestHandler):
    server: Server
    server_version, sys_version = "dinostream", ""
    timeout = REQUEST_S
    disable_nagle_algorithm = True  # the last bytes of a frame wait for nothing

    def do_GET(self) -> None:
        if not self.server.knows(self.headers.get("Authorization", "")):
            self.send_error(HTTPStatus.UNAUTHORIZED)
            return
        reader = Reader(self.connection)
        if not self.server.admit(reader, self._welcome):
            self.send_error(HTTPStatus.CONFLICT, "somebody else reads this already")
            return
        reader.stay()
        self.server.dismiss(reader)

    def _welcome(self) -> None:
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", self.server.content_type)
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.connection.settimeout(None)

    def log_message(self, *_: Any) -> None:
        """The decoder tells what it was answered."""
