"""Keeps an RTSP camera from sending us on to another host.

libav follows an RTSP redirect wherever it leads, and asks nobody (FFmpeg 8.1). But it tells its log
first, in the thread that opens. From then on this process opens no socket, until the opening has
failed.
"""

from __future__ import annotations

import logging
import os
import re
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import av

from pipeline.errors import SourceError

_PORTS = {"rtsp": 554, "rtsps": 322}
_LIBAV = logging.getLogger("libav")
_TOLD = re.compile(r"Redirecting to (?P<url>.*)", re.DOTALL)


@contextmanager
def kept_to_its_host(url: str) -> Iterator[None]:
    """A block in which libav opens a camera.

    Args:
        url: of the camera; a redirect to its own host and port is followed.

    Raises:
        SourceError: the camera sends us elsewhere. Nobody there was asked.
    """
    watch, levels = _Watch(url), (av.logging.get_level(), _LIBAV.level)
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    _LIBAV.addHandler(watch)
    _LIBAV.setLevel(logging.INFO)
    _LIBAV.propagate = False  # its lines quote whole addresses
    av.logging.set_level(av.logging.INFO)
    try:
        yield
    except (OSError, ValueError):
        if watch.elsewhere:
            raise SourceError(f"sends us on to {watch.elsewhere}, which is not itself") from None
        raise
    finally:
        av.logging.set_level(levels[0])
        _LIBAV.propagate = True
        _LIBAV.setLevel(levels[1])
        _LIBAV.removeHandler(watch)
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)


class _Watch(logging.Handler):
    """Attributes: elsewhere: where the camera sends us, where that is not the camera; else ""."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._own = _place(url)
        self.elsewhere = ""

    def emit(self, record: logging.LogRecord) -> None:
        told = _TOLD.search(record.getMessage())
        if told is not None and _place(told["url"]) != self._own:
            scheme, host, port = _place(told["url"])
            self.elsewhere = f"{scheme}://{host}:{port}"
            _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
            resource.setrlimit(resource.RLIMIT_NOFILE, (_lowest_free(), hard))


def _lowest_free() -> int:
    """The descriptor that the next socket would have. A limit below it would also keep other
    threads from waiting for theirs."""
    descriptor = os.open(os.devnull, os.O_RDONLY)
    os.close(descriptor)
    return descriptor


def _place(url: str) -> tuple[str, str, int | None]:
    """Scheme, host and port; of what makes no sense, nothing that is anybody's."""
    try:
        parts = urlsplit(url.strip())
        scheme = parts.scheme.lower()
        return scheme, parts.hostname or "", parts.port or _PORTS.get(scheme)
    except ValueError:
        return "", "", None
