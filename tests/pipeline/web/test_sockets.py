"""How many pages may be open, and how they learn that the service ends."""

import asyncio
import json
from contextlib import ExitStack, contextmanager

import pytest
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocketDisconnect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from pipeline.web.listener import answering, bound
from pipeline.web.place import Place
from pipeline.web.sockets import MOST_SOCKETS


@contextmanager
def service_of(app):
    """Its WebSocket's address, until it ends."""
    place = Place("127.0.0.1", 0)
    with bound(place) as server, answering(app, place, server):
        yield f"ws://127.0.0.1:{server.getsockname()[1]}/echo"


def test_one_page_too_many_is_told_so_and_comes_when_another_has_gone(opened) -> None:
    service = opened()
    pages = [service.talk() for _ in range(MOST_SOCKETS)]
    with pytest.raises(InvalidStatus) as refused:
        service.talk()
    answer = refused.value.response
    assert answer.status_code == 503
    assert "16 pages are open" in json.loads(answer.body)["detail"]
    assert service.ask("GET", "/fact").status == 200
    pages.pop().close()
    page = service.talk()  # the server has seen it go: it closes a connection last
    page.send("here")
    assert page.recv() == "here"


@pytest.mark.parametrize("deaf", [False, True])
def test_pages_are_told_that_the_service_goes_down(app, deaf) -> None:
    """Also those whose side here neither hears nor says anything."""

    async def sits(page) -> None:
        await page.accept()
        await asyncio.Event().wait()

    silent = Starlette(routes=[WebSocketRoute("/echo", sits)])
    with ExitStack() as pages:
        with service_of(silent if deaf else app) as address:
            page = pages.enter_context(connect(address, proxy=None))
        with pytest.raises(ConnectionClosed) as closed:
            page.recv()
        assert closed.value.rcvd.code == 1001


def test_whoever_still_sends_then_is_told_in_the_way_of_asgi() -> None:
    ended = []

    async def talks(page) -> None:
        await page.accept()
        told = await page.receive()
        try:
            await page.send_text("still here")
        except WebSocketDisconnect:
            ended.append(told["code"])

    with ExitStack() as pages:
        with service_of(Starlette(routes=[WebSocketRoute("/echo", talks)])) as address:
            pages.enter_context(connect(address, proxy=None))
        assert ended == [1001]
