"""The page over a sink, served by a process of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from pipeline.view.app import REFUSALS, Page
from pipeline.view.opening import Entrance, Wish
from pipeline.web.listener import answering, bound
from pipeline.web.place import Place


@contextmanager
def serving(wish: Wish, place: Place) -> Iterator[str]:
    """Served until the end of the block; its address.

    Raises:
        UsageError: nobody can listen there, or there is no such sink.
    """
    with ExitStack() as stack:
        server = stack.enter_context(bound(place))
        entrance = Entrance(wish)
        stack.callback(entrance.close)
        entrance.enter()  # what is wrong with it is told at once
        app = Starlette(
            routes=[*Page(entrance.enter).routes(), Route("/livez", _alive)],
            exception_handlers=REFUSALS,
        )
        stack.enter_context(answering(app, place, server))
        yield replace(place, port=server.getsockname()[1]).url


def _alive(_: Request) -> PlainTextResponse:
    return PlainTextResponse("ok\n")
