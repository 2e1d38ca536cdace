"""The HTTP interface of a job; docs/control.md and `openapi.document` describe it.

Requests -> what is wanted, answered at once; how the streams fare -> JSON. Whether a camera can be
reached is its state and never the success of a request.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from pipeline.configuration.config import StreamConfig
from pipeline.configuration.resolve import resolve_streams
from pipeline.control import deepstream
from pipeline.control.health import Health
from pipeline.control.metrics import CONTENT_TYPE, exposition
from pipeline.control.openapi import document
from pipeline.control.steering import Steering
from pipeline.control.wanted import Changed, Fixed, NoSuchStream, refuse_other_keys
from pipeline.secrets import MASK, mask_url, mask_values
from pipeline.view.app import REFUSALS, Page
from pipeline.web.answer import Json
from pipeline.web.body import json_object
from pipeline.web.problem import Problem, refusing

TURN_S = 0.2  # how often changes are looked for
QUIET_S = 15.0  # after which a line says that the connection lives

Handler = Callable[[Request], Awaitable[Response]]


class Service:
    """Routes over one job's `Steering`."""

    def __init__(self, steering: Steering, health: Health, page: Page | None = None) -> None:
        """
        Args:
            steering: what is wanted of the streams, and how they are.
            health: of the job.
            page: over the job's records; None: there is none.
        """
        self._steering = steering
        self._health = health
        self._page = page

    def app(self) -> Starlette:
        """The ASGI application."""
        routes = {
            ("GET", "/v1/streams"): self.list_streams,
            ("GET", "/v1/streams/{id}"): self.get_stream,
            ("PUT", "/v1/streams/{id}"): self.put_stream,
            ("PATCH", "/v1/streams/{id}"): self.patch_stream,
            ("DELETE", "/v1/streams/{id}"): self.delete_stream,
            ("POST", "/v1/streams/{id}:pause"): self.pause_stream,
            ("POST", "/v1/streams/{id}:resume"): self.resume_stream,
            ("GET", "/v1/config"): self.get_config,
            ("PUT", "/v1/config"): self.put_config,
            ("GET", "/v1/events"): self.follow_events,
            ("POST", "/api/v1/stream/add"): self.add_sensor,
            ("POST", "/api/v1/stream/remove"): self.remove_sensor,
            ("GET", "/livez"): self.alive,
            ("GET", "/readyz"): self.ready,
            ("GET", "/startupz"): self.started,
            ("GET", "/metrics"): self.metrics,
            ("GET", "/openapi.json"): self.openapi,
        }
        own = [Route(path, call, methods=[verb]) for (verb, path), call in routes.items()]
        return Starlette(
            routes=[*own, *(self._page.routes() if self._page else ())],
            exception_handlers={
                **REFUSALS,
                NoSuchStream: refusing(404),
                Fixed: refusing(409),
                Changed: refusing(412),
            },
        )

    async def list_streams(self, _: Request) -> Response:
        board = self._steering.board
        return Json({"streams": list(board.streams().values()), "change": board.number})

    async def get_stream(self, request: Request) -> Response:
        return Json(self._stream(request.path_params["id"]))

    async def put_stream(self, request: Request) -> Response:
        name = request.path_params["id"]
        config = self._streams({name: await json_object(request)})[name]
        only_new = request.headers.get("if-none-match") == "*"
        new = self._steering.wanted.put(name, config, only_new=only_new)
        return self._accepted(name, 201 if new else 202)

    async def patch_stream(self, request: Request) -> Response:
        """Its entry with other values for some keys; null takes one out."""
        name, changes = request.path_params["id"], await json_object(request)

        def changed(known: StreamConfig) -> StreamConfig:
            values = known.model_dump(mode="json", exclude_none=True) | changes
            left = {key: value for key, value in values.items() if value is not None}
            return _unmasked(name, resolve_streams({name: left})[name], known)

        self._steering.wanted.revise(name, changed)
        return self._accepted(name, 202)

    async def delete_stream(self, request: Request) -> Response:
        self._steering.wanted.remove(request.path_params["id"])
        self._steering.look()
        return Response(status_code=204)

    async def pause_stream(self, request: Request) -> Response:
        self._steering.wanted.pause(request.path_params["id"])
        return self._accepted(request.path_params["id"], 202)

    async def resume_stream(self, request: Request) -> Response:
        name = request.path_params["id"]
        known = self._steering.board.fared().get(name)
        self._steering.wanted.resume(name, ended=known is not None and known.state == "ended")
        return self._accepted(name, 202)

    async def get_config(self, _: Request) -> Response:
        wanted = self._steering.wanted
        tag = wanted.etag
        return Json(mask_values(wanted.config.plain()), headers={"etag": f'"{tag}"'})

    async def put_config(self, request: Request) -> Response:
        """Only `streams`: nothing else can change while a job runs, and says so."""
        wanted = self._steering.wanted
        tag = request.headers.get("if-match", "").strip('"')
        if not tag:
            raise Problem(428, "say If-Match with the ETag of GET /v1/config")
        body = await json_object(request)
        streams = self._streams(body.get("streams", {}))
        refuse_other_keys(body.keys() - {"streams"})
        touched = wanted.replace(wanted.config.model_copy(update={"streams": streams}), tag=tag)
        self._steering.look()
        return Json({"changed": touched}, 202, headers={"etag": f'"{wanted.etag}"'})

    async def follow_events(self, request: Request) -> Response:
        """Server-sent events; `Last-Event-ID` goes on behind one."""
        last = request.headers.get("last-event-id") or request.query_params.get("after") or "0"
        if not last.isdecimal():
            raise Problem(422, f"Last-Event-ID is the number of a change, got {last!r}")
        return StreamingResponse(self._told(request, int(last)), media_type="text/event-stream")

    async def add_sensor(self, request: Request) -> Response:
        """As `put_stream` of one that is new."""
        name, url = deepstream.sensor(await json_object(request), "add")
        config = self._streams({name: {"url": url}})[name]
        self._steering.wanted.put(name, config, only_new=True)
        self._steering.look()
        return Json(deepstream.done("add"))

    async def remove_sensor(self, request: Request) -> Response:
        """As `delete_stream`."""
        name, _ = deepstream.sensor(await json_object(request), "remove")
        self._steering.wanted.remove(name)
        self._steering.look()
        return Json(deepstream.done("remove"))

    async def alive(self, _: Request) -> Response:
        return _health(self._health.dead())

    async def ready(self, _: Request) -> Response:
        return _health(self._health.not_ready())

    async def started(self, _: Request) -> Response:
        return _health(self._health.not_started())

    async def metrics(self, _: Request) -> Response:
        return Response(exposition(self._steering), media_type=CONTENT_TYPE)

    async def openapi(self, _: Request) -> Response:
        return Json(document())

    def _streams(self, values: dict[str, Any]) -> dict[str, StreamConfig]:
        """Entries as they were sent."""
        streams, wanted = resolve_streams(values), self._steering.wanted.streams()
        known = {name: one.config for name, one in wanted.items()}
        return {name: _unmasked(name, one, known.get(name)) for name, one in streams.items()}

    def _accepted(self, name: str, status: int) -> Response:
        self._steering.look()
        return Json(self._stream(name), status)

    def _stream(self, name: str) -> dict[str, Any]:
        found = self._steering.board.stream(name)
        if found is None:
            raise Problem(404, f"no stream is called {name}")
        return found

    async def _told(self, request: Request, last: int) -> AsyncIterator[str]:
        quiet_s = 0.0
        while not await request.is_disconnected():
            lost, changes = self._steering.board.changes(last)
            if lost:
                yield f"event: missed\ndata: {json.dumps({'changes': lost})}\n\n"
            for change in changes:
                last = change.number
                yield f"id: {last}\nevent: stream\ndata: {json.dumps(change.plain())}\n\n"
            quiet_s = 0.0 if changes else quiet_s + TURN_S
            if quiet_s >= QUIET_S:
                quiet_s = 0.0
                yield ": nothing has changed\n\n"
            await asyncio.sleep(TURN_S)


def _unmasked(name: str, sent: StreamConfig, known: StreamConfig | None) -> StreamConfig:
    """An entry; one that was read here, its secrets masked, has the address that it had."""
    if sent.record not in (None, known.record if known else None):
        raise Problem(422, f"{name}: what is recorded, and where, the run's own file says alone")
    if MASK not in sent.url:
        return sent
    if known is None or mask_url(known.url) != sent.url:
        raise Problem(422, f"{name}: the url holds {MASK}, where a secret was; give it anew")
    return sent.model_copy(update={"url": known.url})


def _health(why_not: str) -> Response:
    return PlainTextResponse(f"{why_not or 'ok'}\n", 503 if why_not else 200)
