"""The page as `dinostream view` serves it, in a browser."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager

import pytest

from pipeline.records.message import wall_clock_us
from pipeline.view.opening import Wish
from pipeline.view.service import serving
from pipeline.web.place import Place
from tests.browser import Tab
from tests.pipeline.view.conftest import SECOND_US, Book

PAUSE_US = 60 * SECOND_US  # between two records: silence is five of them, whatever a machine takes


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    """What is to end after the test, and after its windows."""
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def served(book) -> Callable[..., AbstractContextManager[str]]:
    """`served()`: the page over what is written, until the end of a block; its address."""

    @contextmanager
    def made(port: int = 0, token: str = "") -> Iterator[str]:
        with serving(Wish(f"sqlite:{book.path}"), Place("127.0.0.1", port, token)) as url:
            yield url

    return made


@pytest.fixture
def shown(served, stack: ExitStack, look) -> Callable[..., Tab]:
    """`shown("#/s/gate")`: that place of the page, in a window."""

    def made(address: str = "#/", **options: object) -> Tab:
        tab = look(stack.enter_context(served()), **options)
        tab.go(address)
        return tab

    return made


@pytest.fixture
def cameras(book) -> Cameras:
    return Cameras(book)


class Cameras:
    """Streams that are in some state now, and stay in it while a test looks at them."""

    def __init__(self, book: Book) -> None:
        self.book = book
        self.session = str(wall_clock_us() - 10 * PAUSE_US)

    def lives(self, stream: str) -> None:
        """Its last frame came just now."""
        for ago in (3, 2, 1, 0):
            self._write(ago, self._frame(stream, ago))
        self.book.stands(stream, session=self.session)

    def breaks(self, stream: str, kind: str, detail: str) -> None:
        """It did, until now."""
        self.lives(stream)
        event = self.book.event(kind, 9, stream=stream, session=self.session, detail=detail)
        self._write(0, event)

    def falls_silent(self, stream: str) -> None:
        """Its job runs, by its own words, and nothing has come for long."""
        for ago in (60, 59):
            self._write(ago, self._frame(stream, ago))
        self.book.stands(stream, session=self.session)

    def ends(self, stream: str) -> None:
        """Its job is done with it."""
        self.lives(stream)
        self.book.stands(stream, session=self.session, status="ok")

    def connects(self, stream: str) -> None:
        """Nothing but that it was started."""
        for ago in (2, 1, 0):
            self._write(ago, self.book.event("started", stream=stream, session=""))

    def _frame(self, stream: str, ago: int):
        time_us = wall_clock_us() - ago * PAUSE_US
        return self.book.frame(99 - ago, stream=stream, session=self.session, time_us=time_us)

    def _write(self, ago: int, message) -> None:
        self.book.now_us = wall_clock_us() - ago * PAUSE_US
        self.book.write(message)
