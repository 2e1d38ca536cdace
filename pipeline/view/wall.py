"""The socket of one browser: how streams fare, and pictures of those that it watches.

What it says -> what it is sent. One picture of a stream is on its way at a time, and always the
newest one, so a slow browser falls behind in nothing.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol

from starlette.concurrency import run_in_threadpool
from starlette.websockets import WebSocket, WebSocketDisconnect

from pipeline.records.payloads import time_us
from pipeline.records.record import Message
from pipeline.view.follower import Follower
from pipeline.view.layers import KINDS, Layers, described
from pipeline.view.series import Axis, Shelf, session_of
from pipeline.view.slots import PICTURES, Due, Slots

TURN_S = 0.1
STATES_S = 0.5  # between two tellings of how streams fare
MOST_WATCHED = 256
NOT_UNDERSTOOD = 1003  # RFC 6455: data that cannot be accepted

Json = dict[str, Any]


class Still(Protocol):
    """Pictures of footage."""

    def __call__(
        self, stream: str, session: str, position: str, time_us: int, side: int, region: str, /
    ) -> bytes | None:
        """A JPEG of that very frame; None where there is none."""


@dataclass(frozen=True, slots=True)
class Sources:
    """Where a wall takes things from.

    Attributes:
        states: every stream's.
        sink: what is told of the sink.
        still: a frame's picture, out of footage.
    """

    shelf: Shelf
    layers: Layers
    follower: Follower
    states: Callable[[], list[Json]]
    sink: Callable[[], Json]
    still: Still


class Wall:
    """Of one browser."""

    def __init__(self, socket: WebSocket, sources: Sources) -> None:
        self._socket = socket
        self._from = sources
        self._slots = Slots()
        self._told: dict[str, Json] = {}
        self._told_s = float("-inf")

    async def serve(self) -> None:
        """Until it goes, or the service does."""
        await self._socket.accept()
        with self._from.follower.heard_by(self._slots.hear):
            hears = asyncio.create_task(self._listen())
            tells = asyncio.create_task(self._tell())
            done, left = await asyncio.wait((hears, tells), return_when=asyncio.FIRST_COMPLETED)
            for task in left:
                task.cancel()
            await asyncio.gather(*left, return_exceptions=True)
            for task in done:
                task.result()

    async def _listen(self) -> None:
        try:
            while True:
                self._heard(json.loads(await self._socket.receive_text()))
        except WebSocketDisconnect:
            return
        except (ValueError, KeyError, TypeError):  # what no page of ours says
            await self._socket.close(NOT_UNDERSTOOD)

    def _heard(self, said: Json) -> None:
        if "drawn" in said:
            self._slots.drawn(str(said["drawn"]))
        if "watch" in said:
            self._slots.watch([str(name) for name in said["watch"]][:MOST_WATCHED])

    async def _tell(self) -> None:
        try:
            while True:
                if time.monotonic() - self._told_s >= STATES_S:
                    await self._tell_states()
                if unseen := self._slots.unseen():
                    await run_in_threadpool(self._begin, unseen)
                for due in self._slots.due(time.monotonic()):
                    if data := await run_in_threadpool(self._picture, due):
                        await self._socket.send_bytes(data)
                    else:
                        self._slots.drawn(due.stream)
                await asyncio.sleep(TURN_S)
        except (WebSocketDisconnect, RuntimeError):
            return  # it has gone while it was told

    async def _tell_states(self) -> None:
        self._told_s = time.monotonic()
        states = {one["stream"]: one for one in await run_in_threadpool(self._from.states)}
        changed = [one for name, one in states.items() if self._told.get(name) != one]
        gone = sorted(self._told.keys() - states.keys())
        newer = [
            one
            for one in changed
            if one["last_us"] != self._told.get(one["stream"], {}).get("last_us")
        ]
        self._told = states
        sink = self._from.sink()
        await self._say({**sink, "kind": "states", "streams": changed, "gone": gone})
        watched = set(self._slots.watched())
        for one in newer:
            if one["stream"] in watched:
                new = {"stream": one["stream"], "last_us": one["last_us"]}
                await self._say({"kind": "new", **new})
        if left_out := self._slots.take_left_out():
            await self._say({"kind": "skipped", "pictures": left_out})

    def _begin(self, streams: Sequence[str]) -> None:
        """Of what is watched from now on the newest picture that lies there."""
        for name in streams:
            for topic in PICTURES:
                if found := self._from.shelf.index.newest(topic, name, 1):
                    self._slots.hear(name, topic, found[0].offset)
                    break

    def _picture(self, due: Due) -> bytes | None:
        """Head and bytes of one message; None where the record is gone, or is somebody else's."""
        records = self._from.shelf.index.records([due.offset])
        with suppress(KeyError, ValueError, IndexError):
            return self._framed(due, records[0].message)
        return None

    def _framed(self, due: Due, message: Message) -> bytes:
        headers, session = message.headers, session_of(message.headers)
        at_us = time_us(headers["ce_time"])
        head: Json = {"stream": due.stream, "session": session, "position": message.position}
        head |= {"time_us": at_us, "topic": due.topic, "kind": "photo"}
        if due.topic == "frames":
            return framed(head, message.value)
        where = (due.stream, session, message.position, at_us)
        still = self._from.still(*where, 180, headers.get("ce_region", ""))
        if still:
            return framed(head | {"topic": "footage"}, still)
        low, high = self._from.layers.scale(Axis.of(due.stream, session), due.topic) or (None, None)
        return framed(
            head | described(due.topic, headers) | {"low": low, "high": high}, message.value
        )

    async def _say(self, said: Mapping[str, Any]) -> None:
        await self._socket.send_text(json.dumps(said, allow_nan=False, separators=(",", ":")))


def framed(head: Json, body: bytes) -> bytes:
    """Two bytes that say how long the head is, the head, the picture."""
    text = json.dumps(head, allow_nan=False, separators=(",", ":")).encode()
    return len(text).to_bytes(2) + text + body


assert {*KINDS, "frames"} == set(PICTURES)
