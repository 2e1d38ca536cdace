"""The socket of one browser: how streams fare, and pictures of those that it watches.

What it says -> what it is sent. One picture of a stream is on its way at a time, and always the
newest one, so a slow browser falls behind in nothing.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TypeVar

from starlette.concurrency import run_in_threadpool
from starlette.websockets import WebSocket, WebSocketDisconnect

from operators.errors import DinostreamError
from pipeline.view.slots import PICTURES, Due, Slots
from pipeline.view.tiles import Json, Sources, Tiles

TURN_S = 0.1
STATES_S = 0.5  # between two tellings of how streams fare
MOST_WATCHED = 256
NOT_UNDERSTOOD = 1003  # RFC 6455: data that cannot be accepted

T = TypeVar("T")
R = TypeVar("R")


class Wall:
    """Of one browser."""

    def __init__(self, socket: WebSocket, sources: Sources) -> None:
        self._socket = socket
        self._from = sources
        self._slots = Slots()
        self._told: dict[str, Json] = {}
        self._tiles = Tiles(sources)
        self._to_decode: dict[str, Due] = {}  # stream -> the newest

    async def serve(self) -> None:
        """Until it goes, or the service does."""
        await self._socket.accept()
        with self._from.follower.heard_by(self._slots.hear):
            work = (self._listen(), self._tell(), self._show(), self._decode())
            tasks = [asyncio.create_task(one) for one in work]
            done, left = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in left:
                task.cancel()
            await asyncio.gather(*left, return_exceptions=True)
            for task in done:
                with suppress(WebSocketDisconnect, RuntimeError):  # it went while it was told
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
        """How streams fare, again and again: no picture holds this up."""
        while True:
            await self._tell_states()
            await asyncio.sleep(STATES_S)

    async def _show(self) -> None:
        """Pictures that lie there."""
        index, generation = self._from.shelf.index, 0
        while True:
            if index.generation != generation:
                generation = index.generation
                self._slots.begin_anew()
            for stream in self._slots.unseen():
                if not await _unless_away(self._begin, stream):
                    self._slots.look_again(stream)
            for due in self._slots.due():
                self._to_decode[due.stream] = due
                if data := await _unless_away(self._tiles.quick, due):
                    await self._socket.send_bytes(data)
                else:
                    self._slots.drawn(due.stream)
            await asyncio.sleep(TURN_S)

    async def _decode(self) -> None:
        """Pictures out of footage, one after the other."""
        while True:
            for stream in list(self._to_decode):
                due = self._to_decode.pop(stream)
                if data := await _unless_away(self._tiles.decoded, due):
                    await self._socket.send_bytes(data)
            await asyncio.sleep(TURN_S)

    async def _tell_states(self) -> None:
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

    def _begin(self, stream: str) -> bool:
        """Of what is watched from now on the newest picture that lies there."""
        for topic in PICTURES:
            if found := self._from.shelf.index.newest(topic, stream, 1):
                self._slots.hear(stream, topic, found[0].offset)
                break
        return True

    async def _say(self, said: Mapping[str, object]) -> None:
        await self._socket.send_text(json.dumps(said, allow_nan=False, separators=(",", ":")))


async def _unless_away(look: Callable[[T], R], at: T) -> R | None:
    """What somebody sees there, in a thread of its own; None where the sink is away, or is no
    sink any more, which the states tell."""
    with suppress(DinostreamError):
        return await run_in_threadpool(look, at)
    return None
