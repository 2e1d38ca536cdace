"""The page's addresses: requests in, answers out. docs/decisions/page.md lists them.

Mounted in `dinostream view` and in the service of a job; whoever serves it decides who may ask.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket

from operators.errors import UsageError
from operators.result import PNG
from pipeline.errors import NoDatabase, SinkError
from pipeline.records.lines import record_facts
from pipeline.records.record import StoredRecord
from pipeline.view.axes import NotThere
from pipeline.view.layers import KINDS
from pipeline.view.pictures import NoPicture
from pipeline.view.room import Room
from pipeline.view.series import Axis
from pipeline.view.statics import Asset, statics
from pipeline.view.wall import Wall
from pipeline.web.answer import Json
from pipeline.web.problem import Handler, Problem, on_problem, refusing

FOR_EVER = {"cache-control": "private, max-age=31536000, immutable"}
NOT_KEPT = {"cache-control": "no-store"}
MOST_SIDE, WIDEST = 2160, 4000  # pixels

REFUSALS: Mapping[Any, Handler] = {
    Problem: on_problem,
    UsageError: refusing(422),
    NotThere: refusing(404),
    NoDatabase: refusing(503),
    SinkError: refusing(503),
}
"""Exception -> how it is answered."""

Enter = Callable[[], Room]
"""What there is to look at, opened when somebody looks for the first time."""


class Page:
    """Routes over one sink."""

    def __init__(self, enter: Enter) -> None:
        self._enter = enter
        self._statics = statics()

    def routes(self) -> list[BaseRoute]:
        """For a Starlette application."""
        found: Mapping[str, Callable[[Request], Response]] = {
            "/": self.index,
            "/static/{version}/{name}": self.static,
            "/view/streams": self.streams,
            "/view/streams/{stream}": self.stream,
            "/view/moment": self.moment,
            "/view/timeline": self.timeline,
            "/view/record": self.record,
            "/view/map": self.map,
            "/view/frame": self.frame,
            "/view/labels": self.labels,
            "/view/similar": self.similar,
        }
        return [
            *(Route(path, call, methods=["GET"]) for path, call in found.items()),
            WebSocketRoute("/view/live", self.live),
        ]

    def index(self, _: Request) -> Response:
        return _sent(self._statics.index, NOT_KEPT)

    def static(self, request: Request) -> Response:
        asset = self._statics.asset(**request.path_params)
        if asset is None:
            raise Problem(404, "this file is of another release; load the page again")
        return _sent(asset, FOR_EVER)

    def streams(self, _: Request) -> Response:
        room = self._enter()
        return Json({**room.sink(), "streams": room.states()}, headers=NOT_KEPT)

    def stream(self, request: Request) -> Response:
        return Json(self._enter().stream(request.path_params["stream"]), headers=NOT_KEPT)

    def moment(self, request: Request) -> Response:
        room, step = self._enter(), _whole(request, "step", 0)
        if step not in (-1, 0, 1):
            raise Problem(422, f"step is 1 or -1, got {step}")
        found = room.moments.at(_axis(request), _whole(request, "time_us", 0), step)
        return Json(found, headers=NOT_KEPT)

    def timeline(self, request: Request) -> Response:
        room, width = self._enter(), _whole(request, "width", 1200)
        if not 1 <= width <= WIDEST:
            raise Problem(422, f"width is 1 to {WIDEST}, got {width}")
        from_us, to_us = _whole(request, "from_us"), _whole(request, "to_us")
        text = request.query_params.get("text", "")
        found = room.timeline.of(_axis(request), from_us, to_us, width=width, text=text)
        return Json(found, headers=NOT_KEPT)

    def record(self, request: Request) -> Response:
        facts = record_facts(self._record(request))
        try:
            return Json(facts, headers=NOT_KEPT)
        except ValueError:
            raise Problem(422, f"{facts['id']} has numbers that JSON has not (NaN)") from None

    def map(self, request: Request) -> Response:
        message = self._record(request).message
        if message.topic not in KINDS or message.headers.get("content-type") != PNG:
            raise Problem(404, f"records of {message.topic} are no maps")
        return Response(message.value, media_type=PNG, headers=_kept(message.id))

    def frame(self, request: Request) -> Response:
        room, side = self._enter(), _whole(request, "side", 720)
        if not 1 <= side <= MOST_SIDE:
            raise Problem(422, f"side is 1 to {MOST_SIDE} pixels, got {side}")
        axis, asked = _axis(request), request.query_params
        session, position = asked.get("session", axis.name), asked.get("position", "")
        try:
            picture = room.stills.of(axis, session, position, side)
        except NoPicture as error:
            raise Problem(404, str(error)) from None
        # Not kept: the same address shows another picture once something is hidden in it.
        return Response(picture, media_type="image/jpeg", headers=NOT_KEPT)

    def labels(self, request: Request) -> Response:
        return Json(self._enter().labels(_text(request, "name")), headers=NOT_KEPT)

    def similar(self, request: Request) -> Response:
        return Json(self._enter().similar.to(_text(request, "id")), headers=NOT_KEPT)

    async def live(self, socket: WebSocket) -> None:
        room = await run_in_threadpool(self._enter)
        await Wall(socket, room.sources).serve()

    def _record(self, request: Request) -> StoredRecord:
        topic, identity = _text(request, "topic"), _text(request, "id")
        found = self._enter().index.record(topic, identity)
        if found is None:
            raise Problem(404, f"{identity} is not in the sink, or not any more")
        return found


def _sent(asset: Asset, headers: Mapping[str, str]) -> Response:
    return Response(asset.content, media_type=asset.media_type, headers=dict(headers))


def _kept(name: str) -> dict[str, str]:
    """Equal ids mean equal payloads."""
    return {**FOR_EVER, "etag": f'"{hashlib.sha256(name.encode()).hexdigest()[:16]}"'}


def _axis(request: Request) -> Axis:
    return Axis(_text(request, "stream"), _text(request, "axis"))


def _text(request: Request, name: str) -> str:
    if value := request.query_params.get(name):
        return value
    raise Problem(422, f"say {name}")


def _whole(request: Request, name: str, default: Any = None) -> Any:
    text = request.query_params.get(name)
    if text is None:
        return default
    try:
        return int(text)
    except ValueError:
        raise Problem(422, f"{name} is a whole number, got {text[:40]!r}") from None
