"""Servers of tests that answer beside them."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

T = TypeVar("T", bound=socketserver.BaseServer)


@contextmanager
def serving(server: T) -> Iterator[T]:
    """It answers on a thread of its own, and is shut down and closed with the block."""
    with server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
