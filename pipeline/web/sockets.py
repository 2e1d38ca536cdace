"""The WebSockets of a service: at most so many, and each is told when the service ends."""

from __future__ import annotations

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pipeline.web.problem import Problem, problem_response

MOST_SOCKETS = 16
GOING_AWAY = 1001  # RFC 6455: the server goes down
CLOSING_S = 0.5  # what a browser that reads nothing may hold up the end by


class Sockets:
    """An application whose WebSockets can be closed from outside."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._open: set[_Socket] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "websocket":
            await self._app(scope, receive, send)
        elif len(self._open) == MOST_SOCKETS:
            told = f"{MOST_SOCKETS} pages are open, and this service takes no more; close one"
            await problem_response(Problem(503, told))(scope, receive, send)
        else:
            socket = _Socket(send)
            self._open.add(socket)
            try:
                await self._app(scope, receive, socket.send)
            finally:
                self._open.discard(socket)

    async def close(self) -> None:
        """Tell all of them; on the loop that they run on."""
        closing = [asyncio.create_task(one.close()) for one in self._open]
        if closing:
            await asyncio.wait(closing, timeout=CLOSING_S)


class _Socket:
    """What an application sends on one of them."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._accepted = False
        self._closed = False

    async def send(self, message: Message) -> None:
        if self._closed:
            raise OSError("the service has closed this WebSocket")  # as ASGI wants it
        self._accepted |= message["type"] == "websocket.accept"
        self._closed |= message["type"] == "websocket.close"
        await self._send(message)

    async def close(self) -> None:
        if self._accepted and not self._closed:
            self._closed = True
            await self._send({"type": "websocket.close", "code": GOING_AWAY})
