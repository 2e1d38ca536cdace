"""The page as `dinostream view` serves it, in a browser."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from pipeline.view.opening import Wish
from pipeline.view.service import serving
from pipeline.web.place import Place
from tests.browser import Tab


@pytest.fixture
def shown(book, stack: ExitStack, look) -> Callable[..., Tab]:
    """`shown()`: the page over what is written, in a window."""

    def made(address: str = "#/", *, token: str = "", port: int = 0, **options: object) -> Tab:
        place = Place("127.0.0.1", port, token)
        tab = look(stack.enter_context(serving(Wish(f"sqlite:{book.path}"), place)), **options)
        tab.go(address)
        return tab

    return made


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    """What is to end after the test, and after its windows."""
    with ExitStack() as stack:
        yield stack
