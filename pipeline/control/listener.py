"""Who may talk to a job's HTTP service, and the thread that answers.

Loopback unless asked; beyond it a token is needed, so that a service is never open by accident.
"""

from __future__ import annotations

import hmac
import ipaddress
import os
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from operators.errors import UsageError
from pipeline.control.problem import Problem, problem_response
from pipeline.secrets import remember

TOKEN = "DINOSTREAM_TOKEN"  # name of the environment variable, not its value
SHORTEST_TOKEN = 16
OPEN = ("/livez", "/readyz", "/startupz")  # kubelets bring no token; these tell no more than a word
EXAMPLE = "such as 127.0.0.1:8600"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a service listens."""

    host: str
    port: int
    token: str = ""

    @property
    def url(self) -> str:
        """For a person on the same machine."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    @property
    def loopback(self) -> bool:
        """Nobody from elsewhere gets there."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"


def parse_place(text: str, environ: Mapping[str, str] = os.environ) -> Place:
    """`HOST:PORT`, and the token of the environment.

    Raises:
        UsageError: it is none, or beyond loopback there is no token.
    """
    host, colon, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not (colon and host and port.isdecimal() and int(port) < 65536):
        raise UsageError(f"--listen takes HOST:PORT, {EXAMPLE}; got {text!r}")
    token = environ.get(TOKEN, "")
    place = Place(host, int(port), token)
    if token:
        remember(token)
        if len(token) < SHORTEST_TOKEN:
            raise UsageError(f"{TOKEN} has {len(token)} characters, want {SHORTEST_TOKEN} or more")
    elif not place.loopback:
        raise UsageError(
            f"--listen {text} can be reached from elsewhere, which needs a token: set {TOKEN} to "
            f"{SHORTEST_TOKEN} characters or more, or listen on loopback, {EXAMPLE}"
        )
    return place


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
    config = uvicorn.Config(
        Guard(app, place),
        log_config=None,
        access_log=False,
        lifespan="off",
        timeout_graceful_shutdown=1,
    )
    http = uvicorn.Server(config)
    thread = threading.Thread(target=http.run, args=([server],), name="http", daemon=True)
    thread.start()
    try:
        yield
    finally:
        http.should_exit = True
        thread.join()


class Guard:
    """Lets pass whoever has the token; without one, whoever calls this machine by its own names.

    A page that a browser has open may send requests to loopback too, under the name of a server of
    its own that it has made point here: the name tells.
    """

    def __init__(self, app: ASGIApp, place: Place) -> None:
        self._app = app
        self._place = place

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and (problem := self._problem(scope)):
            await problem_response(problem)(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _problem(self, scope: Scope) -> Problem | None:
        headers = {
            name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]
        }
        if scope["path"] in OPEN:
            return None
        if self._place.token:
            given = headers.get("authorization", "").removeprefix("Bearer ")
            if hmac.compare_digest(given.encode(), self._place.token.encode()):
                return None
            return Problem(401, f"say Authorization: Bearer with the value of {TOKEN}")
        name = headers.get("host", "").rpartition(":")[0].removeprefix("[").removesuffix("]")
        if Place(name, 0).loopback:
            return None
        return Problem(403, "this service answers to the names of loopback alone")
