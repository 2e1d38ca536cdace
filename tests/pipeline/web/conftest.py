"""A service with one fact, over real sockets."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from websockets.sync.client import ClientConnection, connect

from pipeline.web.listener import answering, bound
from pipeline.web.place import Place


class Opened:
    """A service on a port of its own, and whoever asks it."""

    def __init__(self, port: int, sockets: ExitStack) -> None:
        self.port = port
        self._sockets = sockets

    def ask(self, verb: str, path: str, body: Any = None, **headers: str):
        """The response, its body read as `content`, and as `text`."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        if body is not None:
            given.setdefault("content-type", "application/json")
            body = json.dumps(body).encode()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(verb, path, body, given)
            response = connection.getresponse()
            response.content = response.read()
            response.text = response.content.decode(errors="replace")
            return response
        finally:
            connection.close()

    def talk(self, path: str = "/echo", **headers: str) -> ClientConnection:
        """A WebSocket, until the test ends; it may be called by another name than it is at."""
        host = headers.pop("host", f"127.0.0.1:{self.port}")
        there = ("127.0.0.1", self.port)
        opened = connect(
            f"ws://{host}{path}",
            sock=socket.create_connection(there),
            proxy=None,
            additional_headers=headers,
            ping_interval=None,
        )
        return self._sockets.enter_context(opened)

    def cookie(self, token: str) -> str:
        """What a page gets for a token."""
        answer = self.ask("POST", "/session", {"token": token})
        assert answer.status == 204, answer.text
        return answer.headers["set-cookie"].partition(";")[0]


async def _fact(_) -> PlainTextResponse:
    return PlainTextResponse("a fact")


async def _echo(page) -> None:
    await page.accept()
    async for text in page.iter_text():
        await page.send_text(text)


@pytest.fixture
def app() -> Starlette:
    """Tells a fact, changes one, and says again what it hears."""
    return Starlette(
        routes=[
            Route("/", _fact),
            Route("/static/1/app.js", _fact),
            Route("/livez", _fact),
            Route("/fact", _fact, methods=["GET", "POST"]),
            WebSocketRoute("/echo", _echo),
        ]
    )


@pytest.fixture
def opened(app):
    """`opened(token, allowed)`: a service of `app`."""
    with ExitStack() as stack, ExitStack() as sockets:

        def made(token: str = "", allowed: Sequence[str] = (), of=app) -> Opened:
            place = Place("127.0.0.1", 0, token, tuple(allowed))
            server = stack.enter_context(bound(place))
            stack.enter_context(answering(of, place, server))
            return Opened(server.getsockname()[1], sockets)

        yield made
