"""The service's socket, and what it bounds."""

import pytest
from websockets.exceptions import ConnectionClosed

from operators.errors import UsageError
from pipeline.web.listener import MOST_MESSAGE_BYTES, bound
from pipeline.web.place import Place


def test_a_port_that_is_taken_is_named() -> None:
    place = Place("127.0.0.1", 0)
    with bound(place) as server:
        taken = Place("127.0.0.1", server.getsockname()[1])
        with (
            pytest.raises(UsageError, match=r"cannot listen on 127\.0\.0\.1:.*in use"),
            bound(taken),
        ):
            pass


def test_a_page_says_no_more_than_it_may_at_once(opened) -> None:
    page = opened().talk()
    page.send("x" * MOST_MESSAGE_BYTES)
    assert len(page.recv()) == MOST_MESSAGE_BYTES
    page.send("x" * (MOST_MESSAGE_BYTES + 1))
    with pytest.raises(ConnectionClosed, match="1009"):
        page.recv()
